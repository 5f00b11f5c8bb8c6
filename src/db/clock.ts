import type { Instant } from '../domain/calendar.ts';

/** The one source of the present. Given to what needs it; nothing else reads the machine's time. */
export interface Clock {
  now(): Instant;
}

export const wallClock: Clock = { now: () => new Date().toISOString() };
