import { readdir } from 'node:fs/promises';
import { delimiter, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentWith, machinePaths } from '../config.ts';
import { runProgram } from './processes.ts';

/** The newest version that `go install` builds by name: later ones hold a nested module. */
export const TEMPORAL_VERSION = '1.5.1';

/** The file name of the Temporal command line. */
export const TEMPORAL_PROGRAM = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** A way to get the program into a folder; each ends by itself when its time is over. */
export interface WayToTemporal {
  readonly name: string;
  readonly withinMs: number;
  /** Returns the path of the program in the folder. */
  readonly obtain: (folder: string, signal: AbortSignal) => Promise<string>;
}

const MODULE = `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_VERSION}`;
/** Where Go is installed when it is not on the search path. */
const GO_HOMES = ['/usr/local/go/bin', '/usr/lib/go/bin', '/opt/homebrew/bin'];

/** In a process of its own: a download by the SDK cannot be called off, and it would settle the SDK's runtime for us. */
async function download(folder: string, signal: AbortSignal): Promise<string> {
  const script = fileURLToPath(new URL(`./download-temporal${extname(import.meta.filename)}`, import.meta.url));
  await runProgram(process.execPath, [script, folder, `v${TEMPORAL_VERSION}`], { signal });
  const [program] = await readdir(folder);
  if (program === undefined) throw new Error('nothing arrived');
  return join(folder, program);
}

async function build(folder: string, signal: AbortSignal): Promise<string> {
  const searchPath = [...machinePaths().searchPath, ...GO_HOMES].join(delimiter);
  await runProgram('go', ['install', MODULE], { env: environmentWith({ GOBIN: folder, PATH: searchPath }), signal });
  return join(folder, TEMPORAL_PROGRAM);
}

/** In the order in which they are tried. */
export const WAYS_TO_TEMPORAL: readonly WayToTemporal[] = [
  { name: 'the official download', withinMs: 90_000, obtain: download },
  { name: 'a build with Go, about three minutes', withinMs: 30 * 60_000, obtain: build },
];

/** Why a way failed, in one line: the whole output of a compiler would fill the screen. */
export function reasonOf(error: unknown): string {
  const { code, name, stderr, message } = error as { code?: unknown; name: string; stderr?: string; message: string };
  if (code === 'ENOENT') return 'it is not installed';
  if (name === 'AbortError') return 'it took too long';
  const lines = (stderr?.trim() || message).split('\n').map((line) => line.trim());
  const line = lines.find((text) => /error|fail/i.test(text)) ?? lines.at(-1) ?? '';
  return line.length > 200 ? `${line.slice(0, 80)} … ${line.slice(-110)}` : line;
}
