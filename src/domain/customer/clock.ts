import { BillingError } from '../errors.ts';

/**
 * The test clock that a new customer lives on: its parent's, or the one it names (O1).
 *
 * @param input.sent   what the request names; undefined when it names none.
 * @param input.parent the new parent's clock; undefined without a parent.
 * @throws `clock.live_tenant`; `clock.mismatch` when two clocks would meet in one tree.
 */
export function clockOfNewCustomer(input: {
  readonly mode: 'TEST' | 'LIVE';
  readonly sent: string | null | undefined;
  readonly parent: { readonly name: string; readonly testClockId: string | null } | undefined;
}): string | null {
  const { mode, sent, parent } = input;
  if (mode === 'LIVE' && typeof sent === 'string') {
    const message =
      'A LIVE tenant has no test clocks: no test invoice takes a legal number. Use a tenant of mode TEST.';
    throw new BillingError('clock.live_tenant', message, [{ path: 'testClockId', message }]);
  }
  if (parent === undefined) return sent ?? null;
  if (sent !== undefined && sent !== parent.testClockId) throw clockMismatch(parent.name, 'testClockId');
  return parent.testClockId;
}

/** Two clocks in one tree: *now* would mean two things on one invoice. */
export function clockMismatch(parentName: string, path: string): BillingError {
  const message = `It would live on another clock than ${parentName}. A tree lives on one test clock, or on none.`;
  return new BillingError('clock.mismatch', message, [{ path, message }]);
}
