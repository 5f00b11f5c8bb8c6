import { z } from 'zod';
import type { GroupView } from '../db/group-views.ts';
import { workflowId } from '../workflows/contract.ts';
import { shownCadence } from './cadence-schema.ts';
import type { Links, RequestTenant } from './route.ts';
import { shown } from './schemas.ts';

export const groupStatus = z.enum(['ACTIVE', 'PAUSED', 'BLOCKED', 'CLOSED']);

/** A billing group as it is shown. */
export const billingGroup = z
  .object({
    id: shown.id(),
    payerCustomerId: shown.id(),
    billingEntityId: shown.id(),
    currency: z.string(),
    timezone: z.string(),
    name: z.string().nullable(),
    isDefault: z.boolean(),
    cadence: shownCadence(),
    anchorDate: shown.date().nullable(),
    nextSchedule: z
      .object({ validFrom: shown.instant(), anchorDate: shown.date().nullable(), cadence: shownCadence() })
      .nullable()
      .meta({ description: 'What a realign has set for later.' }),
    taxAddress: z.enum(['PAYER', 'OWNER']),
    midCycleCharges: z.enum(['NEXT_INVOICE', 'IMMEDIATE']),
    settleMinutes: z.int(),
    graceHours: z.int(),
    purchaseOrder: z.string().nullable(),
    status: groupStatus,
    statusReason: z.string().nullable(),
    nextBillingAt: shown.instant().nullable(),
    lastBoundaryAt: shown.instant().nullable(),
    workflowId: z.string(),
    temporalUrl: z.string().nullable().meta({ description: "The group's workflow in the Temporal UI." }),
    subscriptionCount: z.int().meta({ description: 'Members that have not ended.' }),
    testClockId: shown.id().nullable(),
    createdAt: shown.instant(),
  })
  .meta({ id: 'BillingGroup' });

/** With the group's workflow, and where an operator looks at it. */
export function linked(
  group: GroupView,
  { tenant, links: { temporalUiUrl } }: { tenant: RequestTenant; links: Links },
) {
  const id = workflowId.billingGroup(tenant.id, group.id);
  const temporalUrl = temporalUiUrl === null ? null : `${temporalUiUrl}/workflows/${encodeURIComponent(id)}`;
  return { ...group, workflowId: id, temporalUrl };
}
