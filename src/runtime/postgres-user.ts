import { chown, lstat, mkdir, mkdtemp, realpath, rmdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram, type SystemUser } from './processes.ts';

/** Where root keeps a cluster when the user `postgres` cannot reach the folder asked for. */
const CLUSTERS = '/var/lib/tributary';

/**
 * The user that PostgreSQL runs as: null for ourselves, the system user `postgres`, made when it is missing, for root.
 *
 * @throws when we are root and the user can be neither found nor made.
 */
export async function postgresUser(): Promise<SystemUser | null> {
  if (process.getuid?.() !== 0) return null;
  try {
    return await systemUser();
  } catch {
    return makeSystemUser();
  }
}

async function systemUser(): Promise<SystemUser> {
  const [uid, gid] = await Promise.all([runProgram('id', ['-u', 'postgres']), runProgram('id', ['-g', 'postgres'])]);
  return { uid: Number(uid), gid: Number(gid) };
}

async function makeSystemUser(): Promise<SystemUser> {
  try {
    await runProgram('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', 'postgres']);
    return await systemUser();
  } catch {
    throw new Error(
      'PostgreSQL refuses to run as root, and the system user postgres cannot be made. Run as another user, or set DATABASE_URL.',
    );
  }
}

/**
 * The folder of a cluster, made and given to the user that PostgreSQL runs as. Where that user cannot get to the folder
 * wanted, one that it can reach is made, and a link to it is left: it is found again, and forgotten together with the link.
 *
 * @param wanted  absolute path.
 * @param say     told in one line when it is not the folder wanted.
 * @returns       the folder itself, never the link.
 */
export async function clusterFolder(
  wanted: string,
  user: SystemUser | null,
  say: (line: string) => void,
): Promise<string> {
  if (await isLink(wanted)) return realpath(wanted);
  await mkdir(wanted, { recursive: true, mode: 0o700 });
  if (user === null) return wanted;
  await chown(wanted, user.uid, user.gid);
  if (await canWrite(user, wanted)) return wanted;

  const reachable = await makeReachable(wanted, user);
  say(`The user postgres cannot reach ${wanted}: the database is kept in ${reachable}.`);
  return reachable;
}

async function makeReachable(wanted: string, user: SystemUser): Promise<string> {
  const cure = 'Set DATA_DIR to a folder that it can reach, or set DATABASE_URL.';
  await mkdir(CLUSTERS, { recursive: true, mode: 0o755 });
  const reachable = await mkdtemp(join(CLUSTERS, 'postgres-'));
  await chown(reachable, user.uid, user.gid);
  if (!(await canWrite(user, reachable))) {
    throw new Error(`The user postgres can reach neither ${wanted} nor ${reachable}. ${cure}`);
  }
  try {
    await rmdir(wanted);
  } catch {
    throw new Error(
      `The user postgres can no longer reach the database in ${wanted}. Let it pass the folders above. ${cure}`,
    );
  }
  await symlink(reachable, wanted);
  return reachable;
}

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );

/** Asks the system as that user: every folder on the way counts, whatever grants or denies it. */
const canWrite = (user: SystemUser, folder: string): Promise<boolean> =>
  runProgram('test', ['-w', folder, '-a', '-x', folder], { user }).then(
    () => true,
    () => false,
  );
