import { boundaryAfter } from '../../../src/domain/billing-group/schedule.ts';
import { type CalendarDate, localDate, localMidnight } from '../../../src/domain/calendar.ts';
import type { MemberSubscription, RunFacts, WaitingCharge } from '../../../src/domain/invoice/collect-run.ts';
import type { LineDraft } from '../../../src/domain/invoice/line-draft.ts';
import type { ChargedLine } from '../../../src/domain/subscription/unused-credit.ts';
import { schedule } from '../billing-group/schedules.ts';

/** The event of a boundary, on a local date, of a monthly group on the 1st in UTC; changed as told. */
export const facts = (date: CalendarDate, changes: Partial<RunFacts> = {}, timezone = 'UTC'): RunFacts => {
  const versions = [schedule('2026-01-01', { timezone })];
  const at = localMidnight(date, timezone);
  const nextBoundaryAt = boundaryAfter(versions, at).boundaryAt;
  const event = {
    mode: 'BOUNDARY',
    groupId: 'grp_1',
    versions,
    timezone,
    at,
    date,
    nextBoundaryAt,
    lastBoundaryAt: null,
  } as const;
  return {
    event,
    currency: 'EUR',
    rounding: 'HALF_UP',
    accountOrder: ['payer'],
    members: [],
    charges: [],
    chargedLines: [],
    ...changes,
  };
};

/** A subscription of an owner on the plan `Team`; changed as told. */
export const member = (
  subscriptionId: string,
  ownerId: string,
  items: MemberSubscription['items'],
  changes: Partial<MemberSubscription> = {},
): MemberSubscription => ({ subscriptionId, ownerId, planName: 'Team', hasShippingAddress: false, items, ...changes });

/** A one-time charge of 9.00, due on a local date; changed as told. */
export const waiting = (
  chargeId: string,
  ownerId: string,
  chargeOn: CalendarDate,
  changes: Partial<WaitingCharge> = {},
): WaitingCharge => ({
  chargeId,
  ownerId,
  description: 'Cable',
  quantity: '2',
  unitAmount: '4.5',
  amount: '9.00',
  taxCode: null,
  chargeOn,
  ...changes,
});

/** A line that was charged for time on an issued invoice; changed as told. */
export const chargedLine = (
  lineId: string,
  itemId: string,
  period: ChargedLine['period'],
  changes: Partial<ChargedLine> = {},
): ChargedLine => ({
  lineId,
  itemId,
  invoiceNumber: 'INV-0007',
  description: 'Team: seat',
  period,
  charged: '10.00',
  credited: '0',
  credits: 0,
  taxInclusive: false,
  taxCode: null,
  taxPoint: '2026-01-01',
  ...changes,
});

/** Lines as a table shows them: `payer RECURRING Team: seat [2026-04-01 2026-05-01] 10.00`. */
export const table = (lines: readonly LineDraft[], timezone = 'UTC'): string[] =>
  lines.map((line) => {
    const on = (instant: string | null) => (instant === null ? '–' : localDate(instant, timezone));
    return `${line.ownerId} ${line.kind} ${line.description} [${on(line.periodStart)} ${on(line.periodEnd)}] ${line.amount}`;
  });
