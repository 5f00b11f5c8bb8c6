import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';

/**
 * The secret kept in a file that its owner alone can read; made at the first call. Two first calls at once agree.
 *
 * @param prefix  tells what the secret is for when it turns up somewhere.
 * @returns       the secret, 256 random bits, and whether it was made just now.
 */
export async function keepSecret(file: string, prefix = ''): Promise<{ secret: string; isNew: boolean }> {
  const secret = `${prefix}${randomBytes(32).toString('base64url')}`;
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${secret}\n`, { mode: 0o600 });
  try {
    await link(draft, file);
    return { secret, isNew: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return { secret: (await readFile(file, 'utf8')).trim(), isNew: false };
  } finally {
    await rm(draft, { force: true });
  }
}
