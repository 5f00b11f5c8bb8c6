import type { CadenceInterval } from '../../../src/domain/billing-group/cadence.ts';
import type { ScheduleVersion } from '../../../src/domain/billing-group/schedule.ts';
import { BEGINNING, type CalendarDate, type Instant } from '../../../src/domain/calendar.ts';

/** `cadence('MONTH')` is every month, `cadence('DAY', 10)` every ten days. */
export const cadence = (interval: CadenceInterval, count = 1) => ({ interval, count });

/** A schedule for ever: monthly in UTC from an anchor, changed as told. */
export const schedule = (anchorDate: CalendarDate, changes: Partial<ScheduleVersion> = {}): ScheduleVersion => ({
  anchorDate,
  cadence: cadence('MONTH'),
  timezone: 'UTC',
  validFrom: BEGINNING,
  validTo: null,
  ...changes,
});

/** Two schedules, one after the other: what a realign leaves behind. */
export const realigned = (before: ScheduleVersion, effective: Instant, changes: Partial<ScheduleVersion>) => [
  { ...before, validTo: effective },
  { ...before, validFrom: effective, ...changes },
];

/** Zones with every trouble: midnight twice (Havana), none (Cairo, Beirut), half hours (Kolkata, Lord_Howe), quarters. */
export const TIMEZONES = [
  'America/Los_Angeles',
  'Europe/Berlin',
  'Asia/Tokyo',
  'Asia/Kolkata',
  'Africa/Cairo',
  'Asia/Beirut',
  'America/Havana',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Australia/Sydney',
  'UTC',
] as const;
