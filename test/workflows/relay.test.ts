import type { Client as TemporalClient } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enqueue } from '../../src/db/outbox.ts';
import { startRelay } from '../../src/relay/relay.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { quietLog } from '../support/database.ts';
import { eventually } from '../support/stack.ts';

let api: TestApi;
let tenant: Client;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.tenant();
});
afterAll(() => api.close());

/** A Temporal that counts the signals it is sent, and refuses those that `refuses` says. */
function temporal(refuses: (runId: string) => boolean = () => false) {
  const received: string[] = [];
  const signalWithStart = async (_: string, { args: [{ runId }] }: { args: [{ runId: string }] }): Promise<void> => {
    if (refuses(runId)) throw new Error('Temporal says no');
    received.push(runId);
  };
  return { received, client: { workflow: { signalWithStart } } as unknown as TemporalClient };
}

const relayTo = (client: TemporalClient) =>
  startRelay({ database: api.db.database, client, taskQueue: 'nobody', log: quietLog });

/** Messages about runs that there are only here. */
const send = (runIds: readonly string[]): Promise<void> =>
  api.db.database.inTenant(tenant.tenantId, async (tx) => {
    for (const runId of runIds) {
      await enqueue(tx, { topic: 'run.start', dedupeKey: runId, payload: { runId, testClockId: null } });
    }
  });

const waiting = () =>
  api.db.query<{ dedupe_key: string; claimed: boolean }>(
    `select dedupe_key, claimed_at is not null as claimed from outbox_messages
      where topic <> 'event' and delivered_at is null order by id`,
  );

const untilDelivered = () => eventually(async () => (await waiting()).length === 0, 'the outbox to be empty');

const named = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}_${index}`);

describe('the outbox', () => {
  test('holds at most one message of a kind that waits; one that was claimed does not count', async () => {
    await send(['run_a', 'run_a', 'run_b', 'run_a']);
    expect((await waiting()).map(({ dedupe_key: key }) => key)).toEqual(['run_a', 'run_b']);
    await api.db.query(`update outbox_messages set claimed_at = now() where dedupe_key = 'run_a'`);
    await send(['run_a']);
    expect((await waiting()).map(({ dedupe_key: key }) => key)).toEqual(['run_a', 'run_b', 'run_a']);
    await api.db.query(`delete from outbox_messages where topic <> 'event'`);
  });
});

describe('the relay', () => {
  test('does not deliver a message before the last transaction that it speaks for has committed', async () => {
    await send(['run_twice']);
    const { received, client } = temporal();
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const { promise: isWritten, resolve: written } = Promise.withResolvers<void>();
    const second = api.db.database.inTenant(tenant.tenantId, async (tx) => {
      await enqueue(tx, { topic: 'run.start', dedupeKey: 'run_twice', payload: { runId: 'run_twice' } });
      written();
      await mayCommit;
    });
    await isWritten;
    const relay = await relayTo(client);
    await send(['run_meanwhile']);
    await eventually(() => Promise.resolve(received.includes('run_meanwhile')), 'what comes after it');
    expect(received, 'what the second wrote cannot be seen yet').toEqual(['run_meanwhile']);
    commit();
    await second;
    await untilDelivered();
    await relay.stop();
    expect(received).toEqual(['run_meanwhile', 'run_twice']);
  });

  test('delivers what is committed, and nothing that is rolled back', async () => {
    const { received, client } = temporal();
    const relay = await relayTo(client);
    await send(['run_now']);
    await untilDelivered();
    const rolledBack = api.db.database.inTenant(tenant.tenantId, async (tx) => {
      await enqueue(tx, { topic: 'run.start', dedupeKey: 'run_never', payload: { runId: 'run_never' } });
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    await send(['run_after']);
    await untilDelivered();
    await relay.stop();
    expect(received).toEqual(['run_now', 'run_after']);
  });

  test('of several processes: each message is delivered by one', async () => {
    const others = [temporal(), temporal(), temporal()];
    const relays = await Promise.all(others.map(({ client }) => relayTo(client)));
    const sent = named('run_many', 500);
    for (let from = 0; from < sent.length; from += 50) await send(sent.slice(from, from + 50));
    await untilDelivered();
    await Promise.all(relays.map((relay) => relay.stop()));
    expect(others.flatMap(({ received }) => received).toSorted()).toEqual(sent.toSorted());
  });

  test('delivers what a relay had claimed that died, once it is old enough', async () => {
    await send(['run_claimed', 'run_being_delivered']);
    const claim = (key: string, ago: string) =>
      api.db.query(`update outbox_messages set claimed_at = now() - $2::interval where dedupe_key = $1`, [key, ago]);
    await claim('run_claimed', '61 seconds');
    await claim('run_being_delivered', '30 seconds');
    const { received, client } = temporal();
    const relay = await relayTo(client);
    await eventually(async () => (await waiting()).length === 1, 'the older one to be delivered');
    await relay.stop();
    expect(received).toEqual(['run_claimed']);
    await api.db.query(`delete from outbox_messages where topic <> 'event'`);
  });

  test('tries again what was refused, without holding up or repeating the rest', async () => {
    const refusals = new Map([
      ['run_mixed_3', 2],
      ['run_mixed_7', 1],
    ]);
    const { received, client } = temporal((runId) => {
      const left = refusals.get(runId) ?? 0;
      refusals.set(runId, left - 1);
      return left > 0;
    });
    const relay = await relayTo(client);
    await send(named('run_mixed', 10));
    await eventually(() => Promise.resolve(received.length >= 8), 'the eight that were not refused');
    await untilDelivered();
    await relay.stop();
    expect(received.toSorted()).toEqual(named('run_mixed', 10));
  });

  test('goes on when the database was away, and finishes what it holds before it stops', async () => {
    const { received, client } = temporal();
    const relay = await relayTo(client);
    await api.db.refuse(true);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await api.db.refuse(false);
    await send(['run_back']);
    await untilDelivered();
    await send(named('run_last', 150));
    await eventually(() => Promise.resolve(received.length > 1), 'the last ones to be begun');
    await relay.stop();
    const left = (await waiting()).filter(({ claimed }) => claimed);
    expect(left, 'nothing stays claimed').toEqual([]);
    expect(received.length + (await waiting()).length).toBe(151);
    expect(new Set(received).size).toBe(received.length);
  });
});
