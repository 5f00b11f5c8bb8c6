import { type CalendarDate, type Instant, localMidnight } from '../calendar.ts';

/** When a change takes effect: now, at the end of the period, at an instant, or at the midnight that begins a local date. */
export type Effective =
  { readonly kind: 'NOW' | 'PERIOD_END' } | { readonly at: Instant } | { readonly on: CalendarDate };

/** The instant that is meant, in the pinned zone. */
export function effectiveInstant(
  effective: Effective,
  pinned: { readonly now: Instant; readonly periodEnd: Instant; readonly timezone: string },
): Instant {
  if ('at' in effective) return effective.at;
  if ('on' in effective) return localMidnight(effective.on, pinned.timezone);
  return effective.kind === 'NOW' ? pinned.now : pinned.periodEnd;
}
