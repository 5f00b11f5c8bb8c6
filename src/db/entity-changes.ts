import { type EntityAction, nextEntityStatus } from '../domain/entity/status.ts';
import { unknownTimezone } from '../domain/entity/timezone.ts';
import { BillingError } from '../domain/errors.ts';
import { assertUnique } from '../domain/invoice/number.ts';
import { audit } from './audit.ts';
import {
  ENTITY_DEFAULTS,
  type EntityEssentials,
  type EntityFields,
  type EntityView,
  hasNumbered,
  insertEntity,
  isDatabaseTimezone,
  lockDefault,
  lockEntity,
  type NewEntity,
  readEntity,
  setDefaultEntity,
  updateEntity,
} from './billing-entities.ts';
import type { Tx } from './database.ts';
import { newId } from './ids.ts';
import { refreshGroupsOfEntity } from './outbox.ts';
import { onlySent, type Sent } from './sent.ts';

/** What a caller may send of an entity; what is undefined was not sent. */
export type EntityChange = Sent<EntityFields> & {
  readonly entityCode?: string | undefined;
  readonly baseCurrency?: string | undefined;
  readonly isDefault?: boolean | undefined;
};

/** What a format is unless it is sent: with the tokens that its reset needs (E3). */
const DEFAULT_FORMAT: Readonly<Record<EntityFields['numberReset'], string>> = {
  NEVER: '{prefix}-{seq:0000}',
  YEARLY: '{prefix}-{YYYY}-{seq:0000}',
  MONTHLY: '{prefix}-{YYYY}{MM}-{seq:0000}',
};

/**
 * Makes an entity, and the default one when asked.
 *
 * @throws `timezone.unknown`, `number_format.invalid`, `entity.code_taken`.
 */
export async function createEntity(tx: Tx, input: EntityChange & EntityEssentials, actor: string): Promise<EntityView> {
  const { isDefault = false, ...fields } = input;
  const entity: NewEntity = {
    ...ENTITY_DEFAULTS,
    invoiceNumberFormat: DEFAULT_FORMAT[fields.numberReset ?? 'NEVER'],
    creditNoteFormat: DEFAULT_FORMAT[fields.numberReset ?? 'NEVER'],
    legalName: fields.displayName,
    ...onlySent(fields),
    ...essentials(input),
    id: newId('ent'),
  };
  checkNumberFormats(entity);
  await assertTimezone(tx, entity.billingTimezone);
  if (isDefault) await lockDefault(tx);
  await insertEntity(tx, entity);
  if (isDefault) await setDefaultEntity(tx, entity.id);
  await record(tx, actor, 'billing_entity.created', entity.id, { entityCode: entity.entityCode, isDefault });
  return readEntity(tx, entity.id);
}

/**
 * Changes what is sent (E6). A new timezone reaches new subscriptions alone (E7).
 *
 * @throws `entity.archived`, `entity.immutable`, `entity.numbering_started`, `entity.default`, and those of creation.
 */
export async function changeEntity(tx: Tx, id: string, input: EntityChange, actor: string): Promise<EntityView> {
  const before = await lockEntity(tx, id);
  nextEntityStatus({ ...before, isDefault: false }, 'edit');
  const { isDefault, entityCode, baseCurrency, ...sent } = input;
  assertImmutable('entityCode', before.entityCode, entityCode);
  assertImmutable('baseCurrency', before.baseCurrency, baseCurrency);
  const change = onlySent(sent);

  if (change.firstNumber !== undefined && change.firstNumber !== before.firstNumber && (await hasNumbered(tx, id))) {
    throw new BillingError(
      'entity.numbering_started',
      `${before.entityCode} has issued already: its numbers go on from there.`,
    );
  }
  if (change.numberReset !== undefined && change.numberReset !== before.numberReset && (await hasNumbered(tx, id))) {
    const message = `${before.entityCode} has issued already: a sequence that begins again in another way could repeat its numbers. Create a new entity.`;
    throw new BillingError('entity.numbering_started', message, [{ path: 'numberReset', message }]);
  }
  if ('numberReset' in change || 'invoiceNumberFormat' in change || 'creditNoteFormat' in change) {
    checkNumberFormats({ ...before, ...change });
  }
  if (change.billingTimezone !== undefined) await assertTimezone(tx, change.billingTimezone);
  await updateEntity(tx, id, change);
  await flipDefault(tx, before, isDefault);
  await record(tx, actor, 'billing_entity.updated', id, {
    ...change,
    ...(isDefault === undefined ? {} : { isDefault }),
  });
  return readEntity(tx, id);
}

/** Suspends, reactivates, archives, or makes the default: see `nextEntityStatus` for what is refused. */
export async function moveEntity(
  tx: Tx,
  id: string,
  action: Exclude<EntityAction, 'edit'>,
  actor: string,
): Promise<EntityView> {
  const before = await lockEntity(tx, id);
  const status = nextEntityStatus(before, action);
  if (action === 'set-default') await setDefaultEntity(tx, id);
  if (status !== before.status) {
    await updateEntity(tx, id, { status });
    await refreshGroupsOfEntity(tx, id);
  }
  await record(tx, actor, `billing_entity.${PAST[action]}`, id, { from: before.status, to: status });
  return readEntity(tx, id);
}

const PAST = {
  'set-default': 'made_default',
  suspend: 'suspended',
  reactivate: 'reactivated',
  archive: 'archived',
} as const;

async function flipDefault(tx: Tx, entity: EntityView, isDefault: boolean | undefined): Promise<void> {
  if (isDefault === undefined || isDefault === entity.isDefault) return;
  if (!isDefault) {
    const message = `${entity.entityCode} is the default. There is always one: make another entity the default instead.`;
    throw new BillingError('entity.default', message, [{ path: 'isDefault', message }]);
  }
  nextEntityStatus(entity, 'set-default');
  await setDefaultEntity(tx, entity.id);
}

function assertImmutable(field: 'entityCode' | 'baseCurrency', before: string, sent: string | undefined): void {
  if (sent === undefined || sent === before) return;
  const anchors = field === 'entityCode' ? 'the invoice numbers' : 'the ledger';
  const message = `${field} cannot change: it anchors ${anchors}. Archive the entity and create a new one.`;
  throw new BillingError('entity.immutable', message, [{ path: field, message }]);
}

/** Both streams are counted under the same reset, so both formats must keep their numbers apart (E3). */
function checkNumberFormats(
  entity: Pick<EntityFields, 'invoiceNumberFormat' | 'creditNoteFormat' | 'numberReset'>,
): void {
  for (const path of ['invoiceNumberFormat', 'creditNoteFormat'] as const) {
    try {
      assertUnique(entity[path], entity.numberReset);
    } catch (error) {
      if (!(error instanceof BillingError)) throw error;
      throw new BillingError(error.code, error.message, [{ path, message: error.message }]);
    }
  }
}

/** Intl knew the zone when the request was read; this asks PostgreSQL. */
async function assertTimezone(tx: Tx, name: string): Promise<void> {
  if (await isDatabaseTimezone(tx, name)) return;
  const message = unknownTimezone(name);
  throw new BillingError('timezone.unknown', message, [{ path: 'billingTimezone', message }]);
}

const essentials = ({ entityCode, baseCurrency, displayName, countryCode }: EntityEssentials): EntityEssentials => ({
  entityCode,
  baseCurrency,
  displayName,
  countryCode,
});

const record = (tx: Tx, actor: string, action: string, id: string, detail: Record<string, unknown>): Promise<void> =>
  audit(tx, { actor, action, subjectType: 'billing_entity', subjectId: id, detail });
