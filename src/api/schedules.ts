import { z } from 'zod';
import { isDatabaseTimezone } from '../db/billing-entities.ts';
import { upcomingBoundaries } from '../domain/billing-group/upcoming.ts';
import { unknownTimezone } from '../domain/entity/timezone.ts';
import { BillingError } from '../domain/errors.ts';
import { cadence } from './cadence-schema.ts';
import { route } from './route.ts';
import { calendarDate, shown, timezone, wholeNumber } from './schemas.ts';

const COUNT_MAX = 500;

const body = z
  .strictObject({
    anchorDate: calendarDate(),
    timezone: timezone(),
    cadence: cadence(),
    from: calendarDate().nullish().meta({ description: 'The first date that counts; the anchor unless sent.' }),
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
