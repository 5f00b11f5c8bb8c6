import { sql } from 'kysely';
import { type CalendarDate, type Instant, localDate } from '../../domain/calendar.ts';
import { type NumberReset, resetPeriod } from '../../domain/invoice/number.ts';
import type { Tx } from '../database.ts';

/** A place in a stream, with the instant that was read once the stream was locked. */
export interface TakenNumber {
  readonly sequence: number;
  readonly issuedAt: Instant;
  readonly issueDate: CalendarDate;
  /** Of the zone at that instant, from tzdata. */
  readonly abbreviation: string;
}

/**
 * RN1: takes the next number of an entity's invoices, in the caller's transaction: it serialises the issues of one entity,
 * and a rollback gives the number back. The stream's row is the last lock of all; the issue instant is read under it, so
 * that numbers and instants have one order.
 */
export async function takeNumber(
  tx: Tx,
  document: { billingEntityId: string; timezone: string; numberReset: NumberReset },
  testClockId: string | null,
): Promise<TakenNumber> {
  const { billingEntityId, timezone, numberReset } = document;
  let period = resetPeriod(numberReset, localDate(await present(tx, testClockId), timezone));
  for (;;) {
    await lockStream(tx, { billingEntityId, period });
    const issuedAt = await present(tx, testClockId);
    const issueDate = localDate(issuedAt, timezone);
    const now = resetPeriod(numberReset, issueDate);
    if (now === period) {
      return { ...(await countOn(tx, { billingEntityId, period, issuedAt, timezone })), issuedAt, issueDate };
    }
    // Midnight of a new period passed while waiting for the lock: the number belongs to the new period's stream.
    period = now;
  }
}

/** Opens the stream at the entity's first number, which cannot change once a stream exists, and locks it. */
const lockStream = async (tx: Tx, stream: { billingEntityId: string; period: string }) =>
  sql`
    insert into number_streams (tenant_id, billing_entity_id, document_kind, reset_period, next_number)
    select e.tenant_id, e.id, 'INVOICE', ${stream.period}, e.first_number
      from billing_entities e where e.id = ${stream.billingEntityId} for share
    on conflict (tenant_id, billing_entity_id, document_kind, reset_period)
    do update set next_number = number_streams.next_number`.execute(tx.db);

const countOn = async (
  tx: Tx,
  stream: { billingEntityId: string; period: string; issuedAt: Instant; timezone: string },
): Promise<{ sequence: number; abbreviation: string }> => {
  const { rows } = await sql<{ sequence: number; abbreviation: string }>`
    update number_streams set next_number = next_number + 1
     where billing_entity_id = ${stream.billingEntityId} and document_kind = 'INVOICE' and reset_period = ${stream.period}
    returning next_number - 1 as sequence, zone_abbreviation(${stream.issuedAt}::timestamptz, ${stream.timezone}) as abbreviation`.execute(
    tx.db,
  );
  return rows[0] as { sequence: number; abbreviation: string };
};

/** *Now* on a test clock, else by the wall clock. */
const present = async (tx: Tx, testClockId: string | null): Promise<Instant> => {
  if (testClockId === null) return tx.now();
  const { nowAt } = await tx.db
    .selectFrom('test_clocks')
    .where('id', '=', testClockId)
    .select('nowAt')
    .executeTakeFirstOrThrow();
  return nowAt;
};
