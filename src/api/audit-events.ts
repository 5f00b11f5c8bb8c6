import { z } from 'zod';
import { listAuditEvents } from '../db/audit.ts';
import { feedOf, feedQuery } from './listing.ts';
import { route } from './route.ts';
import { instant, shown, text } from './schemas.ts';

const auditEvent = z
  .object({
    id: shown.id(),
    actor: z.string().meta({ description: 'Who did it: `key:<id>`, `platform` or `system`.' }),
    action: z.string().meta({ examples: ['customer.archived'] }),
    subjectType: z.string(),
    subjectId: shown.id(),
    detail: z.record(z.string(), z.unknown()),
    happenedAt: shown.instant().meta({ description: "By the subject's clock, which may be a test clock." }),
    recordedAt: shown.instant(),
  })
  .meta({ id: 'AuditEvent' });

export const auditRoutes = [
  route({
    method: 'GET',
    path: '/audit-events',
    tag: 'Audit',
    summary: 'List who changed what',
    scope: 'read',
    query: feedQuery(['recordedAt'], {
      subjectType: text(50).optional(),
      subjectId: text(100).optional(),
      action: text(100).optional(),
      actor: text(100).optional(),
      recordedFrom: instant().optional(),
      recordedTo: instant().optional(),
    }),
    response: feedOf(auditEvent),
    handler: ({ tx, query }) => listAuditEvents(tx, query),
  }),
];
