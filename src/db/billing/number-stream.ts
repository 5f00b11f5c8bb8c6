import { sql } from 'kysely';
import { type CalendarDate, type Instant, localDate } from '../../domain/calendar.ts';
import { type NumberReset, resetPeriod } from '../../domain/invoice/number.ts';
import type { Tx } from '../database.ts';

/** A document that is to be numbered. */
export interface Numberable {
  readonly billingEntityId: string;
  readonly timezone: string;
  readonly numberReset: NumberReset;
  readonly testClockId: string | null;
}

/** A place in a stream, with the instant that was read once the stream was locked. */
export interface TakenNumber {
  readonly sequence: number;
  readonly issuedAt: Instant;
  readonly issueDate: CalendarDate;
  /** Of the zone at that instant, from tzdata. */
  readonly abbreviation: string;
}

interface Stream {
  readonly billingEntityId: string;
  readonly period: string;
}

/** The entity was suspended while a run was under way. The transaction is tried again, and finds it so from the start. */
class SuspendedMeanwhile extends Error {
  /** serialization_failure: what PostgreSQL says of a transaction that must be done again. */
  readonly code = '40001';
}

/**
 * RN1: takes the next numbers of entities' invoices, in the caller's transaction and in the order of the documents: it
 * serialises the issues of one entity, and a rollback gives the numbers back. The streams' rows are the last locks of all;
 * the issue instant is read under them, so that numbers and instants have one order. A handful of statements, however many
 * documents there are.
 *
 * @returns a number for each document, in the same order.
 */
export async function takeNumbers(tx: Tx, documents: readonly Numberable[]): Promise<TakenNumber[]> {
  if (documents.length === 0) return [];
  await holdEntities(tx, documents);
  let dated = await dateAll(tx, documents);
  for (;;) {
    await lockStreams(tx, streamsOf(dated));
    const now = await dateAll(tx, documents);
    const isSame = now.every(({ period }, index) => period === dated[index]?.period);
    dated = now;
    // Else midnight of a new period passed while waiting for the locks: the number belongs to the new period's stream.
    if (isSame) break;
  }
  const counters = await countOn(tx, dated);
  const abbreviations = await zoneAbbreviations(tx, dated);
  return dated.map(({ issuedAt, issueDate, timezone, ...stream }) => {
    const key = keyOf(stream);
    const sequence = counters.get(key) as number;
    counters.set(key, sequence + 1);
    return { sequence, issuedAt, issueDate, abbreviation: abbreviations.get(`${issuedAt} ${timezone}`) ?? '' };
  });
}

/** An entity that is being suspended is waited for; one that was suspended issues nothing (E5). */
async function holdEntities(tx: Tx, documents: readonly Numberable[]): Promise<void> {
  const ids = [...new Set(documents.map(({ billingEntityId }) => billingEntityId))];
  const entities = await tx.db
    .selectFrom('billing_entities')
    .where('id', '=', sql<string>`any(${ids}::text[])`)
    .orderBy('id')
    .select(['id', 'status'])
    .forShare()
    .execute();
  if (entities.some(({ status }) => status === 'SUSPENDED')) throw new SuspendedMeanwhile('The entity was suspended.');
}

type Dated = Stream & { readonly issuedAt: Instant; readonly issueDate: CalendarDate; readonly timezone: string };

/** Each document at its present: on a test clock that clock's instant, else the wall clock's. */
async function dateAll(tx: Tx, documents: readonly Numberable[]): Promise<Dated[]> {
  const clockIds = [...new Set(documents.map(({ testClockId }) => testClockId).filter((id) => id !== null))];
  const clocks =
    clockIds.length === 0
      ? []
      : await tx.db
          .selectFrom('test_clocks')
          .where('id', '=', sql<string>`any(${clockIds}::text[])`)
          .select(['id', 'nowAt'])
          .execute();
  const onClock = new Map(clocks.map(({ id, nowAt }) => [id, nowAt]));
  const now = tx.now();
  return documents.map(({ billingEntityId, timezone, numberReset, testClockId }) => {
    const issuedAt = testClockId === null ? now : (onClock.get(testClockId) ?? now);
    const issueDate = localDate(issuedAt, timezone);
    return { billingEntityId, period: resetPeriod(numberReset, issueDate), issuedAt, issueDate, timezone };
  });
}

const keyOf = ({ billingEntityId, period }: Stream): string => `${billingEntityId} ${period}`;

/** Each stream once, in the order in which everybody locks them. */
const streamsOf = (dated: readonly Stream[]): Stream[] =>
  [...new Map(dated.map((stream) => [keyOf(stream), stream]))]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, s]) => s);

/** Opens streams at their entities' first numbers, which cannot change once a stream exists, and locks them. */
const lockStreams = (tx: Tx, streams: readonly Stream[]) =>
  sql`
    insert into number_streams (tenant_id, billing_entity_id, document_kind, reset_period, next_number)
    select e.tenant_id, e.id, 'INVOICE', s.period, e.first_number
      from unnest(${streams.map(({ billingEntityId }) => billingEntityId)}::text[],
                  ${streams.map(({ period }) => period)}::text[]) with ordinality as s(entity_id, period, place)
      join billing_entities e on e.id = s.entity_id
     order by s.place
    on conflict (tenant_id, billing_entity_id, document_kind, reset_period)
    do update set next_number = number_streams.next_number`.execute(tx.db);

/** Moves streams on by as many as there are documents; returns the first number of each. */
async function countOn(tx: Tx, documents: readonly Stream[]): Promise<Map<string, number>> {
  const byStream = [...Map.groupBy(documents, keyOf).values()];
  const firsts = byStream.map(([first]) => first as Stream);
  const { rows } = await sql<{ billingEntityId: string; period: string; first: number }>`
    update number_streams n set next_number = n.next_number + s.documents
      from unnest(${firsts.map(({ billingEntityId }) => billingEntityId)}::text[],
                  ${firsts.map(({ period }) => period)}::text[],
                  ${byStream.map(({ length }) => length)}::int[]) as s(entity_id, period, documents)
     where n.billing_entity_id = s.entity_id and n.document_kind = 'INVOICE' and n.reset_period = s.period
    returning n.billing_entity_id, n.reset_period as period, n.next_number - s.documents as first`.execute(tx.db);
  return new Map(rows.map((row) => [keyOf(row), row.first]));
}

async function zoneAbbreviations(tx: Tx, dated: readonly Dated[]): Promise<Map<string, string>> {
  const moments = [...new Map(dated.map((one) => [`${one.issuedAt} ${one.timezone}`, one])).values()];
  const { rows } = await sql<{ abbreviation: string }>`
    select zone_abbreviation(m.at, m.zone) as abbreviation
      from unnest(${moments.map(({ issuedAt }) => issuedAt)}::timestamptz[],
                  ${moments.map(({ timezone }) => timezone)}::text[]) with ordinality as m(at, zone, place)
     order by m.place`.execute(tx.db);
  return new Map(moments.map((one, index) => [`${one.issuedAt} ${one.timezone}`, rows[index]?.abbreviation ?? '']));
}
