import { pino } from 'pino';
import { expect, test } from 'vitest';
import { keepRunningParts } from '../../src/runtime/running-parts.ts';

const log = pino({ level: 'silent' });
const never = () => new Promise<void>(() => undefined);

test('parts stop in reverse order, each once, whatever becomes of the others', async () => {
  const stopped: string[] = [];
  const parts = keepRunningParts({ log, withinMs: 20 });
  parts.add('first', async () => void stopped.push('first'));
  parts.add('broken', () => Promise.reject(new Error('no')));
  parts.add('stuck', never);
  parts.add('last', async () => void stopped.push('last'));
  await Promise.all([parts.stopAll(), parts.stopAll()]);
  expect(stopped).toEqual(['last', 'first']);
});
