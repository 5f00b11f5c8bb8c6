import { BillingError } from '../errors.ts';

export type EntityStatus = 'ACTIVE' | 'SUSPENDED' | 'ARCHIVED';
export type EntityAction = 'set-default' | 'suspend' | 'reactivate' | 'archive' | 'edit';

/**
 * Every legal move of a billing entity (E4): what an action leads to from each status; null refuses.
 *
 * SUSPENDED issues nothing and may come back. ARCHIVED is final. The default is ACTIVE and stays so.
 */
const MOVES: Readonly<Record<EntityAction, Readonly<Record<EntityStatus, EntityStatus | null>>>> = {
  'set-default': { ACTIVE: 'ACTIVE', SUSPENDED: null, ARCHIVED: null },
  suspend: { ACTIVE: 'SUSPENDED', SUSPENDED: null, ARCHIVED: null },
  reactivate: { ACTIVE: null, SUSPENDED: 'ACTIVE', ARCHIVED: null },
  archive: { ACTIVE: 'ARCHIVED', SUSPENDED: 'ARCHIVED', ARCHIVED: null },
  edit: { ACTIVE: 'ACTIVE', SUSPENDED: 'SUSPENDED', ARCHIVED: null },
};

/**
 * The status that an action leads to.
 *
 * @param entity.isDefault whether new subscriptions fall to it when nothing else is named.
 * @throws `entity.default` for suspending or archiving the default, `entity.archived` for anything done to an archived one,
 *         `entity.suspended` for what a suspended one refuses, `conflict` for reactivating an active one.
 */
export function nextEntityStatus(
  entity: { readonly entityCode: string; readonly status: EntityStatus; readonly isDefault: boolean },
  action: EntityAction,
): EntityStatus {
  const { entityCode, status, isDefault } = entity;
  const next = MOVES[action][status];
  if (next === null) throw refusal(entityCode, status, action);
  if (isDefault && next !== 'ACTIVE') {
    throw new BillingError(
      'entity.default',
      `${entityCode} is the default entity: make another one the default first (set-default), then ${action} it.`,
    );
  }
  return next;
}

function refusal(entityCode: string, status: EntityStatus, action: EntityAction): BillingError {
  switch (status) {
    case 'ARCHIVED':
      return new BillingError(
        'entity.archived',
        `${entityCode} is archived, for good. Create a new entity instead; its invoices stay where they are.`,
      );
    case 'SUSPENDED':
      return new BillingError('entity.suspended', `${entityCode} is suspended: reactivate it first, then ${action}.`);
    case 'ACTIVE':
      return new BillingError('conflict', `${entityCode} is active: there is nothing to ${action}.`);
    default:
      throw new Error(`Unknown status ${String(status satisfies never)}.`);
  }
}
