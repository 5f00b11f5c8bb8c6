import { z } from 'zod';
import { advanceTestClock, createTestClock, listTestClocks, readTestClock } from '../db/test-clocks.ts';
import { listOf, listQuery } from './listing.ts';
import { route } from './route.ts';
import { instant, shown, text } from './schemas.ts';

const clockStatus = z.enum(['READY', 'ADVANCING', 'FAILED']);

const testClock = z
  .object({
    id: shown.id(),
    name: z.string(),
    now: shown.instant(),
    targetAt: shown
      .instant()
      .meta({ description: 'Where an advance is going; equal to `now` when none is under way.' }),
    status: clockStatus,
    error: z.string().nullable().meta({ description: 'Why it is FAILED.' }),
    createdAt: shown.instant(),
  })
  .meta({ id: 'TestClock' });

const tag = 'Test clocks';

export const testClockRoutes = [
  route({
    method: 'GET',
    path: '/test-clocks',
    tag,
    summary: 'List test clocks',
    scope: 'read',
    query: listQuery(['createdAt', 'name'], { status: clockStatus.optional() }),
    response: listOf(testClock),
    handler: ({ tx, query }) => listTestClocks(tx, query),
  }),
  route({
    method: 'POST',
    path: '/test-clocks',
    tag,
    summary: 'Create a test clock',
    description: 'For customers of a TEST tenant: they live on it from their creation on. Any year.',
    scope: 'write',
    status: 201,
    body: z.strictObject({ now: instant(), name: text(100).default('Test clock') }).meta({ id: 'NewTestClock' }),
    response: testClock,
    handler: ({ tx, body, actor, tenant }) => createTestClock(tx, body, { actor, mode: tenant.mode }),
  }),
  route({
    method: 'GET',
    path: '/test-clocks/:testClockId',
    tag,
    summary: 'Read a test clock',
    scope: 'read',
    response: testClock,
    handler: ({ tx, params }) => readTestClock(tx, params.testClockId),
  }),
  route({
    method: 'POST',
    path: '/test-clocks/:testClockId/advance',
    tag,
    summary: 'Advance a test clock',
    description:
      'Answers at once, with status ADVANCING; read the clock until it is READY or FAILED. Everything on it that is due on the ' +
      'way is billed in order. The present instant is allowed: it waits for what is due. A FAILED one may be tried again.',
    scope: 'write',
    status: 202,
    body: z.strictObject({ to: instant() }),
    response: testClock,
    handler: ({ tx, params, body, actor }) => advanceTestClock(tx, params.testClockId, body.to, actor),
  }),
];
