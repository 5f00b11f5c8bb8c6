import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from './process-lock.ts';

/**
 * Makes the folder and takes it for this process; what a killed run left in it may then be cleared away safely.
 *
 * @returns gives the folder back.
 * @throws  when it cannot be made, or another running process holds it.
 */
export async function claimDataDir(dataDir: string): Promise<() => Promise<void>> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o755 });
    const lock = await takeLock(join(dataDir, 'tributary.pid'));
    if ('release' in lock) return lock.release;
    throw new Error(`process ${lock.holder.pid} uses it, stop that one first`);
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`DATA_DIR ${dataDir} cannot be used: ${message}. Or set another DATA_DIR and PORT.`, { cause });
  }
}
