import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadGroups } from '../../src/db/billing/group-state.ts';
import { moveClock } from '../../src/db/billing/move-clock.ts';
import { planStep } from '../../src/db/billing/plan-step.ts';
import { previewGroup } from '../../src/db/billing/preview.ts';
import { listInvoices } from '../../src/db/invoices/list.ts';
import type { Tx } from '../../src/db/database.ts';
import { previewInvoices } from '../../src/db/invoices/preview.ts';
import { advanceTestClock } from '../../src/db/test-clocks.ts';
import { planNext } from '../../src/domain/billing-group/plan.ts';
import { decimal } from '../../src/domain/money.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { billRun } from '../support/billing.ts';
import { type Built, buildWorld, goOn } from './build-world.ts';
import { fingerprintOf } from './dump.ts';
import { EVENTS, sharedOverASplit, type World, worlds } from './world.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => '2026-06-01T12:00:00.000Z' } });
});
afterAll(() => api.close());

const RUNS = Number(process.env['TEST_PREVIEW_WORLDS'] ?? 40);

/** How many invoices and lines were compared, so that the property is known to say something. */
const seen = { invoices: 0, lines: 0, credits: 0, discounts: 0, taxes: 0, early: 0 };

test(`what is previewed is what is issued, to the cent, and nothing is written (${RUNS} worlds)`, async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const tenant = await api.tenant();
      const inTenant = <T>(work: (tx: Tx) => Promise<T>) => api.db.database.inTenant(tenant.tenantId, work);
      const built = await inTenant((tx) => buildWorld(tx, world));
      await inTenant((tx) => advanceTestClock(tx, built.testClockId, '2030-01-01T00:00:00.000Z', 'test'));
      for (let event = 0; event < EVENTS; event += 1) {
        if (!(await billNext(tenant, world, built))) return;
        await inTenant((tx) => goOn(tx, world, built, event));
      }
    }),
    { numRuns: RUNS, examples: [[sharedOverASplit]] },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(RUNS / 4);
}, 600_000);

/** Moves the clock to its next due instant and bills what is due there, each preview held against its invoice. */
async function billNext({ tenantId }: Client, world: World, { testClockId }: Built): Promise<boolean> {
  const { database } = api.db;
  const early = await previewOfFirst(tenantId);
  const { due } = await database.inTenant(tenantId, (tx) => moveClock(tx, testClockId));
  let isFirst = true;
  for (const { id: groupId } of due) {
    for (;;) {
      const { step } = await database.inTenant(tenantId, (tx) => planStep(tx, groupId));
      if (step.kind !== 'RUN') break;
      const isBoundary = await isBoundaryRun(step.runId);
      const expected = isBoundary ? await preview(tenantId, groupId) : null;
      await billRun(database, tenantId, step.runId);
      const issued = await issuedBy(tenantId, step.runId);
      if (expected !== null) expect(issued).toEqual(withoutSkipped(expected, world));
      if (isFirst && isBoundary && early?.groupId === groupId) {
        seen.early += 1;
        expect(issued, 'as seen before the clock moved').toEqual(withoutSkipped(early.invoices, world));
      }
      isFirst = false;
      count(issued);
    }
  }
  return due.length > 0;
}

const isBoundaryRun = async (runId: string): Promise<boolean> =>
  (await api.db.query('select 1 from billing_runs where id = $1 and boundary_at is not null', [runId])).length > 0;

/** The group that the clock comes to first, as it is seen from here: a cycle ahead. */
async function previewOfFirst(tenantId: string) {
  const groups = await api.db.database.inTenant(tenantId, async (tx) => {
    const ids = await tx.db.selectFrom('billing_groups').select('id').execute();
    return loadGroups(
      tx,
      ids.map(({ id }) => id),
    );
  });
  const waiting = groups.flatMap((group) => {
    const step = planNext(group.state, group.now);
    return step.kind === 'SLEEP' && step.reason === 'BOUNDARY' ? [{ groupId: group.groupId, until: step.until }] : [];
  });
  const busy = groups.some((group) => ['RUN', 'OPEN_RUN'].includes(planNext(group.state, group.now).kind));
  const [first] = waiting.toSorted((a, b) => (a.until < b.until ? -1 : 1));
  const isAlone = first !== undefined && waiting.filter(({ until }) => until === first.until).length === 1;
  return !busy && isAlone ? { groupId: first.groupId, invoices: await preview(tenantId, first.groupId) } : null;
}

interface Compared {
  /** What the API shows. */
  readonly view: Record<string, unknown>;
  /** What it does not show, and a later run depends on. */
  readonly behind: unknown;
}

async function preview(tenantId: string, groupId: string): Promise<Compared[]> {
  const before = await fingerprintOf(api.db, tenantId);
  const readOnly = { readOnly: true };
  const shown = await api.db.database.inTenant(tenantId, (tx) => previewInvoices(tx, groupId), readOnly);
  const { invoices } = await api.db.database.inTenant(tenantId, (tx) => previewGroup(tx, groupId), readOnly);
  expect(await fingerprintOf(api.db, tenantId), 'a preview writes').toBe(before);
  return shown.invoices.map((view, index) => ({
    view: comparable(view),
    behind: invoices[index]?.lines.map((line, position) => [
      line.itemId,
      line.termsVersion,
      line.taxPoint,
      line.taxCode,
      line.taxInclusive,
      line.explanation,
      (invoices[index]?.settlement.discounts.shares ?? [])
        .filter(({ lineId }) => lineId === String(position))
        .map(({ redemptionId, amount }) => [redemptionId, Number(amount)]),
    ]),
  }));
}

async function issuedBy(tenantId: string, runId: string): Promise<Compared[]> {
  const { items } = await api.db.database.inTenant(tenantId, (tx) =>
    listInvoices(tx, { page: 0, size: 200, descending: false, lines: true }),
  );
  const own = items.filter((invoice) => invoice.runId === runId);
  return Promise.all(
    own.map(async (view) => {
      const rows = await api.db.query(
        `select l.item_id, l.terms_version, l.tax_point::text, l.tax_code, l.tax_inclusive, l.explanation,
                coalesce((select jsonb_agg(jsonb_build_array(d.redemption_id, d.amount) order by r.subscription_id is null, r.redeemed_at, r.id)
                            from line_discounts d join coupon_redemptions r on r.id = d.redemption_id
                           where d.line_id = l.id), '[]') as shares
           from invoice_lines l where l.invoice_id = $1 order by l.position`,
        [view.id],
      );
      return { view: comparable(view), behind: rows.map((row) => Object.values(row)) };
    }),
  );
}

/** What only issuing gives: identity, number, dates, and what follows them. */
const GIVEN_AT_ISSUE = new Set([
  ...['id', 'number', 'status', 'runId', 'issuedAt', 'issueDate', 'issueDateText', 'dueDate', 'createdAt', 'paidAt'],
  ...['hostedUrl', 'pdfUrl'],
]);

const comparable = (view: object): Record<string, unknown> =>
  JSON.parse(JSON.stringify(view, (key, value: unknown) => (GIVEN_AT_ISSUE.has(key) ? undefined : value)));

/** RO7: an entity may want no document of nothing. */
const withoutSkipped = (previewed: readonly Compared[], { zeroInvoices }: World): readonly Compared[] =>
  previewed.filter(
    ({ view: { total, creditGranted } }) =>
      zeroInvoices === 'ISSUE' || !decimal(String(total)).isZero() || !decimal(String(creditGranted)).isZero(),
  );

function count(issued: readonly Compared[]): void {
  for (const { view } of issued) {
    seen.invoices += 1;
    seen.lines += (view['lines'] as unknown[]).length;
    seen.credits += (view['credits'] as unknown[]).length;
    seen.taxes += (view['taxes'] as unknown[]).length;
    if (view['discountTotal'] !== '0.00') seen.discounts += 1;
  }
}
