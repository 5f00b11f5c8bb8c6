import { BillingError } from '../errors.ts';
import { byLength, type Cadence, multipleOf } from './cadence.ts';

/** What a subscription and a group must share to be on one invoice (D3). */
export interface GroupTerms {
  readonly payerCustomerId: string;
  readonly billingEntityId: string;
  readonly currency: string;
  readonly timezone: string;
}

const FIELDS = ['payerCustomerId', 'billingEntityId', 'currency', 'timezone'] as const;

/** Whether a default group may take a subscription unasked: all its cadences are whole multiples of the group's (RP6). */
export const fitsUnasked = (group: Cadence, cadences: readonly Cadence[]): boolean =>
  cadences.every((cadence) => multipleOf(cadence, group) !== null);

/**
 * Refuses a group that was named and does not fit: payer, entity, currency or zone differ, or a cadence is longer than the
 * group's without being a whole multiple of it (D3). A shorter cadence may be asked for by name.
 *
 * @throws `group.mismatch` naming what differs.
 */
export function assertFits(
  group: GroupTerms & { readonly id: string; readonly cadence: Cadence },
  subscription: GroupTerms,
  cadences: readonly Cadence[],
): void {
  const differing = FIELDS.filter((field) => group[field] !== subscription[field]);
  if (differing.length > 0) {
    const reasons = differing.map((field) => `${field} is ${group[field]} there and ${subscription[field]} here`);
    throw mismatch(group.id, reasons.join('; '));
  }
  const odd = cadences.find(
    (cadence) => multipleOf(cadence, group.cadence) === null && byLength(cadence, group.cadence) > 0,
  );
  if (odd !== undefined) {
    throw mismatch(
      group.id,
      `every ${odd.count} ${odd.interval} is no whole multiple of its every ${group.cadence.count} ${group.cadence.interval}`,
    );
  }
}

const mismatch = (groupId: string, reason: string): BillingError => {
  const message = `Billing group ${groupId} does not fit: ${reason}. Name a group that fits, or none to have one found or opened.`;
  return new BillingError('group.mismatch', message, [{ path: 'billingGroupId', message }]);
};

/** The cadence of a group that is opened for a subscription: the shortest of its RECURRING prices, MONTH when there is none. */
export const cadenceForGroup = (cadences: readonly Cadence[]): Cadence =>
  cadences.toSorted(byLength)[0] ?? { interval: 'MONTH', count: 1 };
