import { BillingError } from '../domain/errors.ts';

/** What the driver tells about a failed statement. */
interface DriverFailure {
  readonly code?: unknown;
  readonly schema?: unknown;
  readonly table?: unknown;
  readonly column?: unknown;
  readonly dataType?: unknown;
  readonly constraint?: unknown;
  readonly message?: unknown;
  /** What PostgreSQL tells besides: values and rows. */
  readonly detail?: unknown;
  readonly hint?: unknown;
  /** FATAL ends the connection: refused, cut, or the server is stopping; PANIC ends the server. */
  readonly severity?: unknown;
}

const CONNECTION_LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH']);
/** Connection exceptions; operator intervention: the server is stopping, starting or recovering. */
const AWAY = /^(08...|57000|57P..)$/;
/**
 * serialization_failure, deadlock_detected, lock_not_available, query_canceled (a statement that took too long);
 * insufficient resources other than a full disk.
 */
const BUSY = /^(40001|40P01|55P03|57014|53...)$/;
const DISK_FULL = '53100';
const LOST_MESSAGE =
  /Connection terminated|connection error and is not queryable|timeout exceeded when trying to connect|server closed the connection/i;

/** Why the database cannot do something now: it cannot be reached, has no room on its disk, or too much else to do. */
export type Outage = 'AWAY' | 'DISK_FULL' | 'BUSY';

/** What keeps the database from doing something that it may do later, or null when the failure is of another kind. */
export function outageOf(error: unknown): Outage | null {
  const outages = chain(error).map(({ code, message, severity }): Outage | null => {
    const text = typeof code === 'string' ? code : '';
    if (text === DISK_FULL) return 'DISK_FULL';
    if (BUSY.test(text)) return 'BUSY';
    const isLost = CONNECTION_LOST.has(text) || AWAY.test(text) || severity === 'FATAL' || severity === 'PANIC';
    return isLost || (typeof message === 'string' && LOST_MESSAGE.test(message)) ? 'AWAY' : null;
  });
  return outages.find((outage) => outage !== null) ?? null;
}

/** Whether the database is away, full or too busy for the moment, so that the same work may succeed later. */
export const isUnavailable = (error: unknown): boolean => outageOf(error) !== null;

/**
 * The refusal that a failure stands for, or null when it is none.
 *
 * Constraints that a caller can meet are mapped where they arise, with `refuseOn`; this is the net below: what slips
 * through is still a refusal and no failure of ours.
 */
export function refusalOf(error: unknown): BillingError | null {
  if (error instanceof BillingError) return error;
  for (const { code } of chain(error)) {
    switch (code) {
      case '23505':
      case '23P01':
        return new BillingError('conflict', 'Something with the same key exists already. Read it, then try again.');
      case '23503':
        return new BillingError('conflict', 'It refers to something that is not there, or something refers to it.');
      case '23001':
        return new BillingError('conflict', 'It is sealed and cannot be changed.');
      case '42501':
        return new BillingError('not_found', 'There is no such thing in this tenant.');
      case '22003':
      case '22007':
      case '22008':
      case '22021':
      case '22P05':
        return new BillingError(
          'request.invalid',
          'A value is outside the range that can be stored. Send a smaller one.',
        );
    }
  }
  return null;
}

/**
 * Runs a statement and turns the violation of a named constraint into the refusal that it means.
 *
 * @param refusals by the constraint's name, what to throw.
 */
export async function refuseOn<T>(
  refusals: Readonly<Record<string, () => BillingError>>,
  statement: () => Promise<T>,
): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    for (const { constraint } of chain(error)) {
      const refusal = typeof constraint === 'string' ? refusals[constraint] : undefined;
      if (refusal !== undefined) throw refusal();
    }
    throw error;
  }
}

/**
 * What may be told of a failure in logs, histories and reasons: its message, of PostgreSQL's own without what somebody wrote.
 * It quotes what it could not read, and the tables, columns and constraints that it names; the latter stay.
 */
export function tellable(error: unknown): string {
  const told = chain(error).find(
    ({ severity, message }) => typeof severity === 'string' && typeof message === 'string',
  );
  if (told === undefined) return error instanceof Error ? error.message : String(error);
  // MikroORM adds both to the message.
  const added = [`\n - detail: ${String(told.detail)}`, `\n - hint: ${String(told.hint)}`];
  const message = added.reduce((text, part) => text.replaceAll(part, ''), String(told.message));
  return withoutValues(message, [told.schema, told.table, told.column, told.dataType, told.constraint]);
}

/** Where a failure comes from: its kind, what may be told of it, and the calls that led to it. */
export function tellableStack(error: Error): string {
  // A message is in there as often as it was wrapped, and may have lines of its own: only places in files count as calls.
  const calls = (error.stack ?? '').split('\n').filter((line) => /^ +at .*(:\d+:\d+\)?|\(<anonymous>\))$/.test(line));
  return [`${error.name}: ${tellable(error)}`, ...calls].join('\n');
}

/** From the first quote that does not hold one of these names to the last: a value may have quotes of its own. */
function withoutValues(text: string, names: readonly unknown[]): string {
  const told = names.filter((name) => typeof name === 'string').map((name) => `"${name}"`);
  const marked = told.reduce((rest, name, place) => rest.replaceAll(name, `<<${place}>>`), text);
  return marked.replace(/".*"/s, '"…"').replaceAll(/<<(\d+)>>/g, (mark, place) => told[Number(place)] ?? mark);
}

/** The error and what it wraps, outermost first. */
function chain(error: unknown, depth = 0): DriverFailure[] {
  if (typeof error !== 'object' || error === null || depth > 5) return [];
  const inner = error instanceof AggregateError ? error.errors : [(error as { cause?: unknown }).cause];
  return [error as DriverFailure, ...inner.flatMap((cause) => chain(cause, depth + 1))];
}
