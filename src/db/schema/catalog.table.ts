import { defineEntity, p } from '@mikro-orm/core';
import type { Price } from '../../domain/catalog/price.ts';
import { exact, id, instant, int, ownTenant, text } from './columns.ts';

/** A plan: a code and its versions. A subscription keeps the version it was sold (S6). */
export const Plan = defineEntity({
  name: 'Plan',
  tableName: 'plans',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  uniques: [{ name: 'plans_code_unique', properties: ['tenantId', 'code'] }],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    code: text(),
    /** The newest version, the one that is sold now. */
    currentVersion: int(),
    archivedAt: instant().nullable(),
    createdAt: instant(),
  },
});

/** What was sold under a plan's code from one change to the next. Never changed once written. */
export const PlanVersion = defineEntity({
  name: 'PlanVersion',
  tableName: 'plan_versions',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  properties: {
    tenantId: id().primary(),
    planId: id().primary(),
    version: int().primary(),
    name: text(),
    currency: text().nullable(),
    billingEntityId: id().nullable(),
    minimumAmount: exact().nullable(),
    maximumAmount: exact().nullable(),
    taxCode: text().nullable(),
    createdAt: instant(),
  },
});

/** One price, of a plan's version or of one subscription alone. Its definition never changes; a change is a new row. */
export const PriceRow = defineEntity({
  name: 'PriceRow',
  tableName: 'prices',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [{ name: 'prices_plan', properties: ['tenantId', 'planId', 'planVersion', 'position'] }],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    planId: id().nullable(),
    planVersion: int().nullable(),
    code: text(),
    position: int(),
    definition: p.json<Price>(),
    createdAt: instant(),
  },
});
