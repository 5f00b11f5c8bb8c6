import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { environmentWith, machinePaths } from '../config.ts';
import { runProgram } from './processes.ts';

/** The newest version that `go install` builds by name: later ones hold a nested module. */
export const TEMPORAL_VERSION = '1.5.1';

const MODULE = `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_VERSION}`;
const DOWNLOAD_MS = 90_000;
const BUILD_MS = 20 * 60_000;
const PROGRESS_MS = 15_000;
const PROGRAM = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/**
 * Finds the Temporal command line: on the search path, in the cache, by the official download, or built by Go; what was
 * downloaded or built is cached outside the checkout, so that it happens once on a machine.
 *
 * @param options.signal  ends a download or a build that is under way.
 * @returns the program's path.
 * @throws when there is no way left, with what to do about it.
 */
export async function findTemporal(options: { log: Logger; signal?: AbortSignal }): Promise<string> {
  const { log, signal } = options;
  const { searchPath, cacheHome } = machinePaths();
  const folder = join(cacheHome ?? join(homedir(), '.cache'), 'tributary', `temporal-${TEMPORAL_VERSION}`);
  const cached = join(folder, PROGRAM);
  const onPath = searchPath.map((part) => join(part, PROGRAM));
  for (const program of [...onPath, cached]) if (await isTemporal(program)) return program;

  const ways = [
    { name: 'the official download', obtain: download, withinMs: DOWNLOAD_MS },
    { name: 'a build with Go (about three minutes)', obtain: build, withinMs: BUILD_MS },
  ];
  for (const { name, obtain, withinMs } of ways) {
    const stopProgress = showProgress(log, `Temporal ${TEMPORAL_VERSION} is not on this machine: trying ${name}`);
    try {
      await inDraftFolder(folder, async (draft) => {
        const program = await obtain(
          draft,
          AbortSignal.any([AbortSignal.timeout(withinMs), ...(signal ? [signal] : [])]),
        );
        await chmod(program, 0o755);
        await rename(program, cached);
      });
      return cached;
    } catch (error) {
      signal?.throwIfAborted();
      log.warn(`Temporal by ${name} failed: ${reasonOf(error)}`);
    } finally {
      stopProgress();
    }
  }
  throw new Error(
    'There is no Temporal server. Install the temporal command line, or Go so that it can be built, or set TEMPORAL_ADDRESS.',
  );
}

const isTemporal = async (program: string): Promise<boolean> => {
  try {
    await access(program, constants.X_OK);
    return (await runProgram(program, ['--version'], { timeoutMs: 20_000 })).includes('temporal version');
  } catch {
    return false;
  }
};

/** In a process of its own: a download by the SDK cannot be called off, and it would settle the SDK's runtime for us. */
async function download(folder: string, signal: AbortSignal): Promise<string> {
  const script = fileURLToPath(new URL(`./download-temporal${extname(import.meta.filename)}`, import.meta.url));
  await runProgram(process.execPath, [script, folder, `v${TEMPORAL_VERSION}`], { signal });
  const [program] = await readdir(folder);
  if (program === undefined) throw new Error('Nothing arrived.');
  return join(folder, program);
}

async function build(folder: string, signal: AbortSignal): Promise<string> {
  const { PATH = '' } = environmentWith({});
  const goHomes = ['/usr/local/go/bin', '/usr/lib/go/bin', '/opt/homebrew/bin'];
  const env = environmentWith({ GOBIN: folder, PATH: [PATH, ...goHomes].join(delimiter) });
  await runProgram('go', ['install', MODULE], { env, signal });
  return join(folder, PROGRAM);
}

/** Works in a folder of its own beside the cached program, so that two at once do not meet; only a whole one is moved. */
async function inDraftFolder(folder: string, work: (draft: string) => Promise<void>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const draft = await mkdtemp(join(folder, 'draft-'));
  try {
    await work(draft);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function showProgress(log: Logger, line: string): () => void {
  const since = Date.now();
  log.info(`${line} …`);
  const ticking = setInterval(() => log.info(`${line} … ${Math.round((Date.now() - since) / 1000)} s`), PROGRESS_MS);
  return () => clearInterval(ticking);
}

/** One line: what the program said last, for its whole output would fill the screen. */
function reasonOf(error: unknown): string {
  const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
  if (code === 'ENOENT') return 'it is not installed.';
  if ((error as Error).name === 'AbortError') return 'it took too long.';
  return (
    (stderr?.trim() || message)
      .split('\n')
      .filter((line) => /error|fail|cannot|unable/i.test(line))
      .at(-1) ??
    message.split('\n')[0] ??
    ''
  );
}
