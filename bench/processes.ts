import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts CPU time in hundredths of a second for whoever reads it here. */
const MS_PER_TICK = 10;

interface Stat {
  readonly parent: number;
  /** CPU time of the process with all its threads, and of those of its children that have ended, in milliseconds. */
  readonly cpuMs: number;
}

/** The fields of `/proc/<pid>/stat` behind the name, which may hold blanks and brackets; null when it is gone. */
function readStat(pid: number): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // state, ppid, …; user, system, and the same of children that were waited for.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { parent: Number(fields[1]), cpuMs: ticks * MS_PER_TICK };
}

const allPids = (): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);

/**
 * CPU time in milliseconds that a process and all its descendants have used since it began. One that has ended counts with
 * the parent that waited for it, so nothing is lost and nothing counted twice.
 */
export function cpuMs(root: number): number {
  const stats = new Map(allPids().map((pid) => [pid, readStat(pid)] as const));
  const belongs = (pid: number): boolean => {
    for (let at = pid; at > 1; at = stats.get(at)?.parent ?? 0) if (at === root) return true;
    return false;
  };
  return [...stats].reduce((sum, [pid, stat]) => sum + (stat !== null && belongs(pid) ? stat.cpuMs : 0), 0);
}

/** CPU time in milliseconds that the whole machine has spent on anything: what is not ours disturbs the measurement. */
export function machineCpuMs(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .split(/\s+/)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * MS_PER_TICK;
}

/** Memory in megabytes that a process alone has in RAM. */
export function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return Number(kilobytes) / 1024;
}

/** The process that started another: a backend's is its PostgreSQL server. */
export const parentOf = (pid: number): number => readStat(pid)?.parent ?? 0;

/** The child of this process whose command line holds a text, such as the port that it listens on. */
export function childWith(text: string): number {
  const found = allPids().find((pid) => parentOf(pid) === process.pid && commandLine(pid).includes(text));
  if (found === undefined) throw new Error(`No process of ours runs with '${text}'.`);
  return found;
}

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};
