import type { Instant } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import { type ClockState, decideAdvance } from '../domain/test-clock/advance.ts';
import { audit } from './audit.ts';
import type { Tx } from './database.ts';
import { newId } from './ids.ts';
import { listPage, type Page } from './listing.ts';
import { enqueue } from './outbox.ts';

/** A test clock as the API shows it. */
export interface TestClockView {
  readonly id: string;
  readonly name: string;
  readonly now: Instant;
  /** Where an advance is going; equal to `now` when none is under way. */
  readonly targetAt: Instant;
  readonly status: ClockState['status'];
  readonly error: string | null;
  readonly createdAt: Instant;
}

const columns = ['id', 'name', 'nowAt as now', 'targetAt', 'status', 'error', 'createdAt'] as const;

/** @throws `clock.live_tenant` */
export async function createTestClock(
  tx: Tx,
  input: { readonly now: Instant; readonly name: string },
  by: { readonly actor: string; readonly mode: 'TEST' | 'LIVE' },
): Promise<TestClockView> {
  if (by.mode === 'LIVE') {
    throw new BillingError(
      'clock.live_tenant',
      'A LIVE tenant has no test clocks: no test invoice takes a legal number. Use a tenant of mode TEST.',
    );
  }
  const { name, now } = input;
  const id = newId('clk');
  const row = { tenantId: tx.tenantId, id, name, nowAt: now, targetAt: now, error: null, advances: 0 };
  await tx.db
    .insertInto('test_clocks')
    .values({ ...row, status: 'READY', createdAt: tx.now() })
    .execute();
  await record(tx, by.actor, 'test_clock.created', id, now, { name });
  return readTestClock(tx, id);
}

/** @throws `not_found` */
export const readTestClock = (tx: Tx, id: string): Promise<TestClockView> =>
  tx.db.selectFrom('test_clocks').select(columns).where('id', '=', id).executeTakeFirstOrThrow(missing(id));

export function listTestClocks(
  tx: Tx,
  request: {
    page: number;
    size: number;
    sort: { column: 'createdAt' | 'name'; descending: boolean };
    status?: ClockState['status'] | undefined;
  },
): Promise<Page<TestClockView>> {
  const { status, sort } = request;
  const query = tx.db
    .selectFrom('test_clocks')
    .select(columns)
    .$if(status !== undefined, (found) => found.where('status', '=', status ?? 'READY'));
  return listPage(query, { ...request, order: { by: sort.column, id: 'id', descending: sort.descending } });
}

/**
 * Sends a clock on its way and answers at once (O1); its workflow moves it through every due instant. Asking again for the
 * target that it is going to changes nothing.
 *
 * @throws `clock.backwards`, `clock.busy`, `not_found`.
 */
export async function advanceTestClock(tx: Tx, id: string, to: Instant, actor: string): Promise<TestClockView> {
  const clock = await tx.db
    .selectFrom('test_clocks')
    .select(['nowAt', 'targetAt', 'status', 'advances'])
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow(missing(id));
  if (decideAdvance(clock, to) === 'START') {
    await tx.db
      .updateTable('test_clocks')
      .set({ targetAt: to, status: 'ADVANCING', error: null, advances: clock.advances + 1 })
      .where('id', '=', id)
      .execute();
    await retryBlocked(tx, id);
    await enqueue(tx, { topic: 'clock.advance', dedupeKey: id, payload: { testClockId: id } });
    await record(tx, actor, 'test_clock.advanced', id, clock.nowAt, { from: clock.nowAt, to });
  }
  return readTestClock(tx, id);
}

/** Whoever moves a clock on after a failure has mended its cause: what was BLOCKED is tried again. */
const retryBlocked = (tx: Tx, testClockId: string) =>
  tx.db
    .updateTable('billing_runs')
    .set({ retryAt: null })
    .where('testClockId', '=', testClockId)
    .where('status', '=', 'BLOCKED')
    .execute();

const missing = (id: string) => () => new BillingError('not_found', `There is no test clock ${id}.`);

const record = (
  tx: Tx,
  actor: string,
  action: string,
  id: string,
  happenedAt: Instant,
  detail: Record<string, unknown>,
): Promise<void> => audit(tx, { actor, action, subjectType: 'test_clock', subjectId: id, detail, happenedAt });
