import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { machinePaths } from '../src/config.ts';
import { openDatabase } from '../src/db/database.ts';
import { claimDataDir } from '../src/runtime/data-dir.ts';
import { startPostgres } from '../src/runtime/embedded-postgres.ts';
import { type BookTenant, writeBooks } from './api-books.ts';

/** A database with years of books in it. What is written to it stays: a thousand customers more or less change nothing. */
export interface Library {
  readonly ownerUrl: string;
  readonly tenants: readonly BookTenant[];
  close(): Promise<void>;
}

const BOOKS = 'books';

/**
 * Opens the books, which are written once on a machine and kept outside the checkout, on a PostgreSQL server with all its
 * guarantees on.
 *
 * @param shape see `writeBooks`; books of another shape, or by another generator, are other books.
 */
export async function openLibrary(shape: { invoices: number; customers: number }): Promise<Library> {
  const log = pino({ level: 'warn' }, pino.destination(2));
  const say = (line: string) => void process.stderr.write(`books: ${line}\n`);
  const folder = await folderOf(shape);
  const release = await claimDataDir(folder);
  const index = join(folder, 'tenants.json');
  if ((await readFile(index).catch(() => null)) === null) await forget(folder);
  const postgres = await startPostgres({ dataDir: folder, log });
  try {
    const tenants = await catalogue(index, postgres.ownerUrl, shape, say);
    const ownerUrl = booksUrl(postgres.ownerUrl);
    // Indexes of a newer version are made before anything is measured, and counts in them need no look at the rows.
    await (await openDatabase({ ownerUrl, log })).close();
    await asOwner(ownerUrl, ['vacuum (analyze) invoices']);
    return {
      ownerUrl,
      tenants,
      close: async () => {
        await postgres.stop();
        await release();
      },
    };
  } catch (error) {
    await postgres.stop();
    await release();
    throw error;
  }
}

async function folderOf(shape: object): Promise<string> {
  const generator = await readFile(new URL('./api-books-sql.ts', import.meta.url), 'utf8');
  const print = createHash('sha256').update(generator).update(JSON.stringify(shape)).digest('hex').slice(0, 12);
  return join(machinePaths().cacheHome ?? join(homedir(), '.cache'), 'tributary', `books-${print}`);
}

/** What is left of an attempt that did not come to its end; the lock in the folder is ours and stays. */
async function forget(folder: string): Promise<void> {
  await rm(join(folder, 'postgres'), { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o755 });
}

/** The tenants with their keys, written when all else is. */
async function catalogue(
  index: string,
  clusterUrl: string,
  shape: { invoices: number; customers: number },
  say: (line: string) => void,
): Promise<BookTenant[]> {
  const found = await readFile(index, 'utf8').catch(() => null);
  if (found !== null) return JSON.parse(found) as BookTenant[];
  say(`writing ${shape.invoices} invoices; this is kept for the next time`);
  await asOwner(clusterUrl, [`drop database if exists ${BOOKS}`, `create database ${BOOKS}`]);
  const tenants = await writeBooks(booksUrl(clusterUrl), shape, say);
  await writeFile(index, JSON.stringify(tenants), { mode: 0o600 });
  return tenants;
}

async function asOwner(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

const booksUrl = (clusterUrl: string): string =>
  Object.assign(new URL(clusterUrl), { pathname: `/${BOOKS}` }).toString();
