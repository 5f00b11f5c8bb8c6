import type { Instant } from '../calendar.ts';

/** Where a subscription stands at an instant; it follows from its dates, so it is never stale. */
export type SubscriptionStatus = 'SCHEDULED' | 'TRIALING' | 'ACTIVE' | 'PAUSED' | 'CANCELED';

/** The instants that decide it. */
export interface SubscriptionDates {
  readonly startAt: Instant;
  readonly trialEndsAt: Instant | null;
  /** First instant that is no more paid for; null while open-ended. */
  readonly endAt: Instant | null;
}

/** The status at `now`. One that was canceled before its start never starts: it is CANCELED at once (RP9). */
export function subscriptionStatus(
  { startAt, trialEndsAt, endAt }: SubscriptionDates,
  now: Instant,
): SubscriptionStatus {
  if (endAt !== null && (endAt <= now || endAt <= startAt)) return 'CANCELED';
  if (now < startAt) return 'SCHEDULED';
  if (trialEndsAt !== null && now < trialEndsAt) return 'TRIALING';
  return 'ACTIVE';
}

/** When paying begins: at the start, or when the trial ends (RP7). */
export const payableFrom = ({ startAt, trialEndsAt }: Pick<SubscriptionDates, 'startAt' | 'trialEndsAt'>): Instant =>
  trialEndsAt !== null && trialEndsAt > startAt ? trialEndsAt : startAt;
