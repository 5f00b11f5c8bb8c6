import { type Client as TemporalClient, ServiceError } from '@temporalio/client';
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

const INVALID_ARGUMENT = 3;
const UNAVAILABLE = 14;
const failing = (code: number): ServiceError =>
  new ServiceError('Failed', { cause: Object.assign(new Error('no'), { code, details: 'no', metadata: {} }) });

/** A Temporal that counts the signals it is sent, refuses those that `refuses` says, and may be away, for some or for all. */
function temporal(refuses: (runId: string) => boolean = () => false, isAway: (runId: string) => boolean = () => false) {
  const received: string[] = [];
  const signalWithStart = async (_: string, { args: [{ runId }] }: { args: [{ runId: string }] }): Promise<void> => {
    if (isAway(runId)) throw failing(UNAVAILABLE);
    if (refuses(runId)) throw failing(INVALID_ARGUMENT);
    received.push(runId);
  };
  return { received, client: { workflow: { signalWithStart } } as unknown as TemporalClient };
}

const relayTo = (client: TemporalClient) =>
  startRelay({ database: api.db.database, client, taskQueue: 'nobody', log: quietLog });

/** Messages about runs that there are only here. */
const send = (runIds: readonly string[], tenantId = tenant.tenantId): Promise<void> =>
  api.db.database.inTenant(tenantId, async (tx) => {
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

const placeOf = (runId: string): number => Number(runId.split('_').at(-1));

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

  test('lets tenants take turns: one with thousands of messages delays one with ten by a batch', async () => {
    await send(named('run_of_crowd', 1_000));
    const few = await api.tenant();
    await send(named('run_of_few', 10), few.tenantId);
    const { received, client } = temporal();
    const relay = await relayTo(client);
    await untilDelivered();
    await relay.stop();
    expect(received.toSorted()).toEqual([...named('run_of_crowd', 1_000), ...named('run_of_few', 10)].toSorted());
    expect(received.findLastIndex((id) => id.startsWith('run_of_few'))).toBeLessThan(100);
    const ofCrowd = received.filter((id) => id.startsWith('run_of_crowd'));
    // Those of one batch go out together, in no order; batches go from the oldest on.
    expect(ofCrowd.map(placeOf).findIndex((place) => place >= 500)).toBeGreaterThanOrEqual(400);
  });

  test('lets more tenants than a batch has room for take turns', async () => {
    const [tenants, each] = [130, 3];
    await api.db.query(
      `insert into outbox_messages (tenant_id, id, topic, dedupe_key, payload, attempts, created_at)
       select 'ten_' || lpad(t::text, 4, '0'), 'out_' || t || '_' || m, 'run.start', 'run_' || t || '_' || m,
              jsonb_build_object('runId', 'run_' || t, 'testClockId', null), 0, now()
         from generate_series(1, $1::int) t, generate_series(1, $2::int) m`,
      [tenants, each],
    );
    const { received, client } = temporal();
    const relay = await relayTo(client);
    await untilDelivered();
    await relay.stop();
    expect(received).toHaveLength(tenants * each);
    const firsts = named('run', tenants + 1)
      .slice(1)
      .map((runId) => received.indexOf(runId));
    expect(Math.min(...firsts)).toBe(0);
    // One of each of a hundred; then the thirty that are left have theirs, and of the others seventy.
    expect(Math.max(...firsts)).toBeLessThan(200);
  });

  test.each([
    { what: 'what is always refused', poisoned: temporal((runId) => runId === 'run_poison') },
    {
      what: 'what alone finds nobody',
      poisoned: temporal(
        () => false,
        (runId) => runId === 'run_poison',
      ),
    },
  ])('$what does not slow down the others, even one that says the same again', async ({ poisoned }) => {
    const { received, client } = poisoned;
    await send(['run_poison']);
    await api.db.query(
      `update outbox_messages set claimed_at = now() - interval '2 minutes' where dedupe_key = 'run_poison'`,
    );
    await send(['run_poison', ...named('run_beside', 300)]);
    const relay = await relayTo(client);
    await eventually(async () => received.length >= 300, 'the others', 5);
    await relay.stop();
    expect(received.toSorted()).toEqual(named('run_beside', 300).toSorted());
    expect(await waiting(), 'once, and in nobody’s way').toEqual([{ dedupe_key: 'run_poison', claimed: true }]);
    await api.db.query(`delete from outbox_messages where topic <> 'event'`);
  });

  test('what is refused for ever, the oldest of each of many tenants, does not keep the others of these tenants waiting', async () => {
    const tenants = 60;
    await api.db.query(
      `insert into outbox_messages (tenant_id, id, topic, dedupe_key, payload, attempts, created_at)
       select 'ten_' || lpad(t::text, 4, '0'), 'out_' || t || what, 'run.start', 'run' || what || t,
              jsonb_build_object('runId', 'run' || what || t, 'testClockId', null), 0, now()
         from generate_series(1, $1::int) t, unnest(array['_a_poison', '_b_good']) what`,
      [tenants],
    );
    const { received, client } = temporal((runId) => runId.includes('poison'));
    const relay = await relayTo(client);
    await eventually(async () => received.length === tenants, 'the others');
    await relay.stop();
    expect(await waiting()).toHaveLength(tenants);
    await api.db.query(`delete from outbox_messages where topic <> 'event'`);
  });

  test('gives back what nobody was there to take, and delivers it when somebody is', async () => {
    let calls = 0;
    let isAway = true;
    const { received, client } = temporal(
      () => false,
      () => {
        calls += 1;
        return isAway;
      },
    );
    await send(named('run_untold', 20));
    const relay = await relayTo(client);
    await eventually(async () => calls >= 40, 'two attempts');
    isAway = false;
    await untilDelivered();
    await relay.stop();
    expect(received.toSorted()).toEqual(named('run_untold', 20).toSorted());
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
