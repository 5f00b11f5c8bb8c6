import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentWith, machinePaths } from '../../src/config.ts';
import { runProgram } from '../../src/runtime/processes.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const INSTALL_MS = 600_000;
const PYTHON_CURE = 'The fuzzer needs Python 3.10 or newer: install python3 and python3-venv, then try again.';

/**
 * Finds schemathesis in the cache outside the checkout, or installs the pinned versions there, once on a machine.
 *
 * @returns the program's path.
 */
export async function findSchemathesis(): Promise<string> {
  const pins = await readFile(here('./requirements.txt'));
  const version = createHash('sha256').update(pins).digest('hex').slice(0, 12);
  const home = join(machinePaths().cacheHome ?? join(homedir(), '.cache'), 'tributary');
  const folder = join(home, `schemathesis-${version}`);
  const isWhole = await access(join(folder, 'installed')).then(
    () => true,
    () => false,
  );
  if (!isWhole) await install(folder);
  return join(folder, 'bin', 'schemathesis');
}

/** An environment cannot be moved, so it is made in its place and marked when it is whole. */
async function install(folder: string): Promise<void> {
  process.stdout.write('Installing schemathesis, once on this machine: about a minute.\n');
  await mkdir(folder, { recursive: true });
  await rm(folder, { recursive: true });
  try {
    await runProgram('python3', ['-c', 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))']);
    await runProgram('python3', ['-m', 'venv', folder], { timeoutMs: INSTALL_MS });
  } catch (cause) {
    throw new Error(PYTHON_CURE, { cause });
  }
  // prettier-ignore
  const args = ['install', '--quiet', '--disable-pip-version-check', '--no-deps', '--requirement', here('./requirements.txt')];
  await runProgram(join(folder, 'bin', 'pip'), args, { timeoutMs: INSTALL_MS });
  await writeFile(join(folder, 'installed'), '');
}

/** What one call of schemathesis is told. */
export interface Fuzzing {
  readonly program: string;
  readonly folder: string;
  /** Where the OpenAPI document is. */
  readonly document: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly phases: string;
  /** Cases of each operation and phase. */
  readonly examples: number;
  readonly checks: string;
  /** Values that exist, by the name of a parameter or a field. */
  readonly known: Readonly<Record<string, readonly string[]>>;
}

/**
 * Runs schemathesis, which shows what it finds as it goes.
 *
 * @returns how it ended, and how many requests were part of a chain.
 */
export async function fuzz(options: Fuzzing): Promise<{ exitCode: number; chained: number }> {
  const { program, folder, document, headers, seed, phases, examples, checks } = options;
  const config = join(folder, 'schemathesis.toml');
  await writeFile(config, configuration(options.known));
  // One worker: CPython 3.11 may not parse its own sources in two threads at once, and hypothesis does.
  // prettier-ignore
  const args = [
    '--config-file', config, 'run', document, '--workers', '1', '--seed', String(seed), '--phases', phases,
    '--max-examples', String(examples), '--checks', checks, '--mode', 'all', '--continue-on-failure', '--no-color',
    '--generation-allow-x00', 'false', '--suppress-health-check', 'all', '--generation-database', 'none', '--request-timeout', '30', '--warnings', 'off',
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}:${value}`]),
  ];
  const chain = join(folder, 'chained');
  await writeFile(chain, '');
  const env = environmentWith({ SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: here('.'), PYTHONDONTWRITEBYTECODE: '1' });
  const run = spawn(program, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'], env });
  const [exitCode] = (await once(run, 'exit')) as [number | null];
  const chained = (await readFile(chain)).length;
  return { exitCode: exitCode ?? 1, chained };
}

/** How often a value that exists is taken where one is wanted; else it is drawn from the schema. */
const KNOWN_SHARE = 0.7;

function configuration(known: Fuzzing['known']): string {
  const names = Object.keys(known);
  return [
    '[parameters]',
    ...names.flatMap((name) => {
      const binding = `{ dictionary = "${name}", probability = ${KNOWN_SHARE} }`;
      return [`"${name}" = ${binding}`, `"body.${name}" = ${binding}`];
    }),
    ...names.flatMap((name) => [`[dictionaries.${name}]`, `values = ${JSON.stringify(known[name])}`]),
  ].join('\n');
}
