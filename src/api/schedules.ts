import { z } from 'zod';
import { isDatabaseTimezone } from '../db/billing-entities.ts';
import { LAST_FROM, upcomingBoundaries } from '../domain/billing-group/upcoming.ts';
import { unknownTimezone } from '../domain/entity/timezone.ts';
import { BillingError } from '../domain/errors.ts';
import { cadence } from './cadence-schema.ts';
import { route } from './route.ts';
import { calendarDate, shown, timezone, wholeNumber } from './schemas.ts';

const COUNT_MAX = 500;
const countable = (description: string) =>
  calendarDate()
    .refine((date) => date <= LAST_FROM, {
      error: `Too late to count from: send ${LAST_FROM} or before.`,
      params: { code: 'date.invalid' },
    })
    // As far as JSON Schema can say it: `LAST_FROM` is the last day of its thousand years.
    .meta({
      description: `${description}, until ${LAST_FROM}.`,
      pattern: '^(19|[2-8][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$',
    });

const body = z
  .strictObject({
    anchorDate: countable('Local date in the zone'),
    timezone: timezone(),
    cadence: cadence(),
    from: countable('The first date that counts; the anchor unless sent').nullish(),
    count: wholeNumber(1, COUNT_MAX).default(24),
  })
  .meta({ id: 'SchedulePreviewRequest' });

/** Boundaries, as a schedule lists them. */
export const boundaryList = z
  .object({ items: z.array(z.object({ boundaryAt: shown.instant(), localDate: shown.date() })) })
  .meta({ id: 'BoundaryList' });

export const scheduleRoutes = [
  route({
    method: 'POST',
    path: '/schedules/preview',
    tag: 'Billing groups',
    summary: 'Preview the boundaries of a schedule',
    description:
      'Boundary k is the local midnight of anchor + k × cadence, the day clamped to its month; k may be negative. Nothing is stored.',
    scope: 'read',
    body,
    response: boundaryList,
    handler: async ({ tx, body: { from, count, ...schedule } }) => {
      if (!(await isDatabaseTimezone(tx, schedule.timezone))) {
        const message = unknownTimezone(schedule.timezone);
        throw new BillingError('timezone.unknown', message, [{ path: 'timezone', message }]);
      }
      return { items: upcomingBoundaries(schedule, from ?? schedule.anchorDate, count) };
    },
  }),
];
