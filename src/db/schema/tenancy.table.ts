import { defineEntity, p } from '@mikro-orm/core';
import { acrossTenants, id, instant, int, ownTenant, strings, text } from './columns.ts';

/** A tenant: an organisation that bills. `id` is the tenant id that leads every other key. */
export const Tenant = defineEntity({
  name: 'Tenant',
  tableName: 'tenants',
  rowLevelSecurity: 'force',
  policies: [
    {
      name: 'own_tenant',
      using: `id = current_setting('app.tenant_id', true)`,
      check: `id = current_setting('app.tenant_id', true)`,
    },
    acrossTenants,
  ],
  properties: {
    id: id().primary(),
    name: text(),
    mode: text().$type<'TEST' | 'LIVE'>(),
    /** The default entity is the tenant's reference, so that two defaults cannot exist (E4). */
    defaultEntityId: id(),
    logoUrl: text().nullable(),
    createdAt: instant(),
  },
});

/** An API key. The secret is shown once; only its SHA-256 is stored. */
export const ApiKey = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  rowLevelSecurity: 'force',
  policies: [ownTenant, acrossTenants],
  uniques: [{ name: 'api_keys_secret_hash_unique', properties: ['secretHash'] }],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    name: text(),
    secretHash: text(),
    /** Last characters of the secret, so that a person can tell keys apart. */
    hint: text(),
    scopes: strings().$type<('read' | 'write' | 'admin')[]>(),
    createdAt: instant(),
    revokedAt: instant().nullable(),
  },
});

/** A test clock (O1): the instant that is *now* for every customer living on it. */
export const TestClock = defineEntity({
  name: 'TestClock',
  tableName: 'test_clocks',
  rowLevelSecurity: 'force',
  policies: [ownTenant, acrossTenants],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    name: text(),
    nowAt: instant(),
    /** Where an advance is going; equal to `nowAt` when none is under way. */
    targetAt: instant(),
    status: text().$type<'READY' | 'ADVANCING' | 'FAILED'>(),
    error: text().nullable(),
    /** Counts advances, so that a workflow can tell one from the next. */
    advances: int().default(0),
    createdAt: instant(),
  },
});

/** The stored answer of a POST (conventions of the API): kept for 24 hours, replayed to a repeat. */
export const IdempotencyKey = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_keys',
  rowLevelSecurity: 'force',
  policies: [ownTenant, acrossTenants],
  indexes: [{ name: 'idempotency_keys_created', properties: ['createdAt'] }],
  properties: {
    tenantId: id().primary(),
    method: text().primary(),
    path: text().primary(),
    key: text().primary(),
    bodyHash: text(),
    status: int(),
    response: p.json<unknown>(),
    createdAt: instant(),
  },
});

/** Who changed what, and when; written in the transaction of the change. */
export const AuditEvent = defineEntity({
  name: 'AuditEvent',
  tableName: 'audit_events',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [
    { name: 'audit_events_subject', properties: ['tenantId', 'subjectType', 'subjectId', 'id'] },
    { name: 'audit_events_by_time', properties: ['tenantId', 'recordedAt', 'id'] },
  ],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    actor: text(),
    action: text(),
    subjectType: text(),
    subjectId: id(),
    detail: p.json<Record<string, unknown>>(),
    /** The instant by the clock of the subject (a test clock's, where it lives on one). */
    happenedAt: instant(),
    recordedAt: instant(),
  },
});

/** A message to be delivered after commit. `dedupeKey` keeps at most one pending, unclaimed one of a kind. */
export const OutboxMessage = defineEntity({
  name: 'OutboxMessage',
  tableName: 'outbox_messages',
  rowLevelSecurity: 'force',
  policies: [ownTenant, acrossTenants],
  uniques: [
    {
      name: 'outbox_messages_pending_unique',
      properties: ['tenantId', 'topic', 'dedupeKey'],
      where: 'claimed_at is null and delivered_at is null',
    },
  ],
  indexes: [
    { name: 'outbox_messages_undelivered', properties: ['id'], where: 'delivered_at is null' },
    // Tenants take turns, each with its oldest.
    {
      name: 'outbox_messages_turns',
      properties: ['tenantId', 'id'],
      where: 'claimed_at is null and delivered_at is null',
    },
    {
      name: 'outbox_messages_claimed',
      properties: ['claimedAt'],
      where: 'claimed_at is not null and delivered_at is null',
    },
  ],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    topic: text().$type<OutboxTopic>(),
    dedupeKey: text(),
    payload: p.json<Record<string, unknown>>(),
    attempts: int().default(0),
    createdAt: instant(),
    claimedAt: instant().nullable(),
    deliveredAt: instant().nullable(),
  },
});

export type OutboxTopic = 'group.refresh' | 'run.start' | 'clock.advance' | 'event';
