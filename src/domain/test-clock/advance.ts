import type { Instant } from '../calendar.ts';
import { BillingError } from '../errors.ts';

type TestClockStatus = 'READY' | 'ADVANCING' | 'FAILED';

/** Where a test clock stands, and where it is going. */
export interface ClockState {
  readonly status: TestClockStatus;
  readonly nowAt: Instant;
  /** Equal to `nowAt` when no advance is under way. */
  readonly targetAt: Instant;
}

/**
 * Whether a request to advance starts a move (O1). Each status answers differently: READY and FAILED start one, to the
 * present instant too (it waits for what is due); ADVANCING to the same target goes on as it is.
 *
 * @returns `START`, or `UNDER_WAY` when there is nothing to do.
 * @throws  `clock.backwards` for an instant before its own, `clock.busy` for another target while it moves.
 */
export function decideAdvance(clock: ClockState, to: Instant): 'START' | 'UNDER_WAY' {
  if (to < clock.nowAt) {
    const message = `The clock stands at ${clock.nowAt} and only goes forward. Send that instant or a later one.`;
    throw new BillingError('clock.backwards', message, [{ path: 'to', message }]);
  }
  if (clock.status !== 'ADVANCING') return 'START';
  if (to === clock.targetAt) return 'UNDER_WAY';
  throw new BillingError(
    'clock.busy',
    `The clock is on its way to ${clock.targetAt}. Wait until its status is READY, then advance it further.`,
  );
}
