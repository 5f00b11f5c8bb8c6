import { z } from 'zod';
import { commandGroup } from '../db/group-commands.ts';
import { readGroup } from '../db/group-views.ts';
import type { GroupCommand } from '../workflows/contract.ts';
import { billingGroup, linked } from './billing-group-schema.ts';
import { cadence } from './cadence-schema.ts';
import { route } from './route.ts';
import { calendarDate, instant } from './schemas.ts';

const tag = 'Billing groups';

/** A verb that an operator tells a group; it is carried out here, and the group's workflow looks again. */
const verb = <Body extends z.ZodType>(
  path: `/billing-groups/:billingGroupId/${string}`,
  words: { summary: string; description?: string },
  body: Body,
  toCommand: (body: z.output<Body>) => GroupCommand,
) =>
  route({
    method: 'POST',
    path,
    tag,
    ...words,
    scope: 'write',
    body,
    response: billingGroup,
    handler: async ({ tx, params, body: sent, actor, tenant, links }) => {
      const { billingGroupId } = params as { billingGroupId: string };
      await commandGroup(tx, billingGroupId, toCommand(sent), actor);
      return linked(await readGroup(tx, billingGroupId), { tenant, links });
    },
  });

/** What an operator tells a group (G10). */
export const billingGroupVerbRoutes = [
  verb('/billing-groups/:billingGroupId/pause', { summary: 'Pause a billing group' }, z.strictObject({}), () => ({
    verb: 'pause',
  })),
  verb(
    '/billing-groups/:billingGroupId/resume',
    {
      summary: 'Resume a billing group',
      description: 'Boundaries that were missed run in order; a BLOCKED run is tried again at once.',
    },
    z.strictObject({}),
    () => ({ verb: 'resume' }),
  ),
  verb('/billing-groups/:billingGroupId/close', { summary: 'Close a billing group' }, z.strictObject({}), () => ({
    verb: 'close',
  })),
  verb(
    '/billing-groups/:billingGroupId/bill-now',
    {
      summary: 'Bill what waits',
      description: 'One-time charges, mid-cycle lines and ended periods; never a running one. The schedule stands.',
    },
    z.strictObject({}),
    () => ({ verb: 'billNow' }),
  ),
  verb(
    '/billing-groups/:billingGroupId/skip',
    {
      summary: 'Skip a boundary',
      description: 'The next one unless boundaryAt names another. Its charges move to the one after.',
    },
    z.strictObject({ boundaryAt: instant().optional() }),
    ({ boundaryAt }) => ({ verb: 'skip', ...(boundaryAt === undefined ? {} : { boundaryAt }) }),
  ),
  verb(
    '/billing-groups/:billingGroupId/realign',
    {
      summary: 'Move the schedule',
      description: 'From `effective` on (NOW unless sent) boundaries count from the new anchor, in the new cadence.',
    },
    z
      .strictObject({
        anchorDate: calendarDate().optional(),
        cadence: cadence().optional(),
        effective: z
          .union([z.enum(['NOW', 'PERIOD_END']), calendarDate(), instant()], {
            error: "Send NOW, PERIOD_END, an instant with an offset, or a date 'YYYY-MM-DD'.",
          })
          .optional(),
      })
      .meta({ id: 'Realignment', anyOf: [{ required: ['anchorDate'] }, { required: ['cadence'] }] }),
    ({ anchorDate, cadence: every, effective }) => ({
      verb: 'realign',
      ...(anchorDate === undefined ? {} : { anchorDate }),
      ...(every === undefined ? {} : { cadence: every }),
      ...(effective === undefined ? {} : { effective }),
    }),
  ),
];
