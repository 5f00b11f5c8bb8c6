import { defineEntity, p } from '@mikro-orm/core';
import type { CadenceInterval } from '../../domain/billing-group/cadence.ts';
import { acrossTenants, day, flag, id, instant, int, ownTenant, text, validity, strings } from './columns.ts';

export type GroupStatus = 'ACTIVE' | 'PAUSED' | 'BLOCKED' | 'CLOSED';

/** A billing group (G1): payer, entity, currency, pinned zone. Its cadence and anchor are in `group_schedules`. */
export const BillingGroup = defineEntity({
  name: 'BillingGroup',
  tableName: 'billing_groups',
  rowLevelSecurity: 'force',
  policies: [ownTenant, acrossTenants],
  indexes: [
    { name: 'billing_groups_payer', properties: ['tenantId', 'payerCustomerId'] },
    { name: 'billing_groups_entity', properties: ['tenantId', 'billingEntityId'] },
    { name: 'billing_groups_clock', properties: ['tenantId', 'testClockId'], where: 'test_clock_id is not null' },
    { name: 'billing_groups_due', properties: ['nextDueAt'], where: `next_due_at is not null` },
    { name: 'billing_groups_by_creation', properties: ['tenantId', 'createdAt', 'id'] },
    { name: 'billing_groups_not_active', properties: ['tenantId', 'status'], where: `status <> 'ACTIVE'` },
  ],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    payerCustomerId: id(),
    billingEntityId: id(),
    currency: text(),
    timezone: text(),
    name: text().nullable(),
    /** Whether new subscriptions that name no group may join it (G1). */
    isDefault: flag(),
    taxAddress: text().$type<'PAYER' | 'OWNER'>(),
    midCycleCharges: text().$type<'NEXT_INVOICE' | 'IMMEDIATE'>(),
    settleMinutes: int(),
    graceHours: int(),
    purchaseOrder: text().nullable(),
    status: text().$type<GroupStatus>(),
    /** Why it is BLOCKED, for the operator. */
    statusReason: text().nullable(),
    /** The last boundary that ran or was skipped; the next is counted after it. */
    lastBoundaryAt: instant().nullable(),
    /** When its workflow means to wake next, for the sweep; null when nothing is due. Never shown. */
    nextDueAt: instant().nullable(),
    testClockId: id().nullable(),
    createdAt: instant(),
  },
});

/** Dated fact: the schedule of a group. A realign closes one and opens the next (RP12). */
export const GroupSchedule = defineEntity({
  name: 'GroupSchedule',
  tableName: 'group_schedules',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  properties: {
    tenantId: id().primary(),
    billingGroupId: id().primary(),
    validFrom: instant().primary(),
    validTo: instant().nullable(),
    valid: validity(),
    /** Null until the first subscription gives it (RP1). */
    anchorDate: day().nullable(),
    cadenceInterval: text().$type<CadenceInterval>(),
    cadenceCount: int(),
  },
});

/** A boundary that an operator told to pass over (RP12). */
export const SkippedBoundary = defineEntity({
  name: 'SkippedBoundary',
  tableName: 'skipped_boundaries',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  properties: {
    tenantId: id().primary(),
    billingGroupId: id().primary(),
    boundaryAt: instant().primary(),
    requestedAt: instant(),
  },
});

export type RunStatus = 'OPEN' | 'WAITING' | 'ISSUED' | 'EMPTY' | 'SKIPPED' | 'BLOCKED';
export type RunKind = 'BOUNDARY' | 'IMMEDIATE' | 'BILL_NOW';
/** The last step that a run has behind it. */
export type RunStep = 'OPENED' | 'COLLECTED' | 'COUPONS' | 'TAX' | 'CREDITS' | 'ISSUED';

/** A billing run: one boundary of a group, or one request to bill at once. */
export const BillingRun = defineEntity({
  name: 'BillingRun',
  tableName: 'billing_runs',
  rowLevelSecurity: 'force',
  policies: [ownTenant, acrossTenants],
  uniques: [
    {
      name: 'billing_runs_boundary_unique',
      properties: ['tenantId', 'billingGroupId', 'boundaryAt'],
      where: `kind = 'BOUNDARY'`,
    },
    {
      name: 'billing_runs_request_unique',
      properties: ['tenantId', 'kind', 'requestId'],
      where: 'request_id is not null',
    },
  ],
  indexes: [
    {
      name: 'billing_runs_unfinished',
      properties: ['tenantId', 'billingGroupId'],
      where: `status in ('OPEN', 'WAITING', 'BLOCKED')`,
    },
    { name: 'billing_runs_by_creation', properties: ['tenantId', 'createdAt', 'id'] },
    { name: 'billing_runs_by_status', properties: ['tenantId', 'status', 'createdAt', 'id'] },
    { name: 'billing_runs_by_group', properties: ['tenantId', 'billingGroupId', 'createdAt', 'id'] },
    { name: 'billing_runs_by_entity', properties: ['tenantId', 'billingEntityId', 'createdAt', 'id'] },
    {
      name: 'billing_runs_of_rare_kind',
      properties: ['tenantId', 'kind', 'createdAt', 'id'],
      where: `kind <> 'BOUNDARY'`,
    },
  ],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    kind: text().$type<RunKind>(),
    /** Null for an IMMEDIATE charge of a payer who needs no group. */
    billingGroupId: id().nullable(),
    payerCustomerId: id(),
    billingEntityId: id(),
    currency: text(),
    timezone: text(),
    /** The due instant; for IMMEDIATE and BILL_NOW null. */
    boundaryAt: instant().nullable(),
    /** What asked for an IMMEDIATE or BILL_NOW run: a charge, a subscription's event, a request. */
    requestId: id().nullable(),
    /** What an IMMEDIATE run is limited to. */
    scope: p.json<{ subscriptionId?: string; chargeId?: string }>().nullable(),
    status: text().$type<RunStatus>(),
    step: text().$type<RunStep>(),
    reason: text().nullable(),
    /** The instant, by the Clock, of the transaction that opened the run (RT5). */
    cutOffAt: instant().nullable(),
    /** When a BLOCKED or failing run tries again by itself. */
    retryAt: instant().nullable(),
    failures: int().default(0),
    testClockId: id().nullable(),
    createdAt: instant(),
    finishedAt: instant().nullable(),
  },
});

/**
 * G12: the members that a run knew at its cut-off, and what became of them: a list for each outcome and reason, so that a
 * thousand members are one row.
 */
export const RunOutcome = defineEntity({
  name: 'RunOutcome',
  tableName: 'run_outcomes',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  properties: {
    tenantId: id().primary(),
    runId: id().primary(),
    outcome: text().$type<'COLLECTED' | 'NOTHING_DUE' | 'EXCLUDED'>().primary(),
    /** Why; empty when the outcome says it all. */
    reason: text().primary(),
    /** In the order in which they were looked at. */
    subscriptionIds: strings(),
  },
});
