import type { Instant } from '../domain/calendar.ts';
import type { Tx } from './database.ts';
import { newId } from './ids.ts';
import { listFeed } from './listing.ts';
import { insertRows } from './rows.ts';

export interface AuditEntry {
  /** `key:key_…`, `platform` or `system`. */
  readonly actor: string;
  /** A verb in the past after its subject: `customer.archived`. */
  readonly action: string;
  readonly subjectType: string;
  readonly subjectId: string;
  /** What changed. Never a secret. */
  readonly detail: Record<string, unknown>;
  /** By the clock of the subject; the wall clock's present unless given. */
  readonly happenedAt?: Instant;
}

/** Records who changed what (O6), in the transaction of the change. */
export const audit = (tx: Tx, entry: AuditEntry): Promise<void> => auditAll(tx, [entry]);

/** Records several changes with one statement. */
export async function auditAll(tx: Tx, entries: readonly AuditEntry[]): Promise<void> {
  const recordedAt = tx.now();
  await insertRows(
    tx.db,
    'audit_events',
    entries.map(({ happenedAt = recordedAt, ...entry }) => ({
      tenantId: tx.tenantId,
      id: newId('aud'),
      ...entry,
      happenedAt,
      recordedAt,
    })),
  );
}

export interface AuditFilter {
  readonly subjectType?: string | undefined;
  readonly subjectId?: string | undefined;
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  /** Inclusive. */
  readonly recordedFrom?: Instant | undefined;
  /** Exclusive. */
  readonly recordedTo?: Instant | undefined;
}

const auditColumns = [
  'id',
  'actor',
  'action',
  'subjectType',
  'subjectId',
  'detail',
  'happenedAt',
  'recordedAt',
] as const;

/** The audit log, oldest first unless sorted otherwise. */
export function listAuditEvents(
  tx: Tx,
  request: AuditFilter & { page: number; size: number; cursor?: string | undefined; sort: { descending: boolean } },
) {
  const { subjectType, subjectId, action, actor, recordedFrom, recordedTo } = request;
  const query = tx.db
    .selectFrom('audit_events')
    .select(auditColumns)
    .$if(subjectType !== undefined, (found) => found.where('subjectType', '=', subjectType ?? ''))
    .$if(subjectId !== undefined, (found) => found.where('subjectId', '=', subjectId ?? ''))
    .$if(action !== undefined, (found) => found.where('action', '=', action ?? ''))
    .$if(actor !== undefined, (found) => found.where('actor', '=', actor ?? ''))
    .$if(recordedFrom !== undefined, (found) => found.where('recordedAt', '>=', recordedFrom ?? ''))
    .$if(recordedTo !== undefined, (found) => found.where('recordedAt', '<', recordedTo ?? ''));
  const order = { by: 'recordedAt', id: 'id', descending: request.sort.descending };
  return listFeed(query, { ...request, cursor: request.cursor, order }, ({ recordedAt, id }) => [recordedAt, id]);
}
