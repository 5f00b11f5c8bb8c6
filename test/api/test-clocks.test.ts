import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { advanceTestClock } from '../../src/db/test-clocks.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { whileOpen } from '../support/race.ts';

let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi();
});
beforeEach(async () => {
  client = await api.tenant();
});
afterAll(() => api.close());

const start = '2026-08-01T00:00:00.000Z';
const october = '2026-10-01T00:00:00.000Z';
const create = async (body: object = {}) =>
  (await client.post('/test-clocks', { now: start, name: 'Demo', ...body })).body;
const advance = (id: string, to: string) => client.post(`/test-clocks/${id}/advance`, { to });
const arrive = (id: string, status: string, error: string | null = null) =>
  api.db.query('update test_clocks set status = $2, error = $3 where id = $1', [id, status, error]);
const messages = (id: string) =>
  api.db.query(`select topic, payload from outbox_messages where dedupe_key = $1 and claimed_at is null`, [id]);
const advances = async (id: string) =>
  (await api.db.query<{ advances: number }>('select advances from test_clocks where id = $1', [id]))[0]?.advances;

describe('a test clock', () => {
  test('stands where it is set', async () => {
    const body = await create({ now: '2026-08-01T02:00:00+02:00' });
    expect(body).toEqual({
      id: expect.stringMatching(/^clk_/),
      name: 'Demo',
      now: start,
      targetAt: start,
      status: 'READY',
      error: null,
      createdAt: expect.any(String),
    });
    expect((await client.get(`/test-clocks/${body.id}`)).body).toEqual(body);
  });

  test('may stand in any year, and has a name unless it is sent', async () => {
    expect(await create({ now: '1900-01-01T00:00:00Z', name: undefined })).toMatchObject({ name: 'Test clock' });
    expect(await create({ now: '8999-12-31T23:59:59Z' })).toMatchObject({ now: '8999-12-31T23:59:59.000Z' });
  });

  // prettier-ignore
  test.each<{ fault: string; body: object; path: string; code?: string }>([
    { fault: 'no instant',       body: { now: undefined },               path: 'now' },
    { fault: 'a date',           body: { now: '2026-08-01' },            path: 'now',  code: 'date.invalid' },
    { fault: 'no offset',        body: { now: '2026-08-01T00:00:00' },   path: 'now',  code: 'date.invalid' },
    { fault: 'a year too early', body: { now: '1899-12-31T23:00:00Z' },  path: 'now',  code: 'date.invalid' },
    { fault: 'a year too late',  body: { now: '9000-01-01T00:00:00Z' },  path: 'now',  code: 'date.invalid' },
    { fault: 'a blank name',     body: { name: ' ' },                    path: 'name' },
  ])('refuses $fault', async ({ body, path, code = 'request.invalid' }) => {
    expect(await create(body)).toMatchObject({ status: 400, code, errors: [{ path }] });
  });

  test('is refused to a LIVE tenant', async () => {
    const live = await api.tenant('LIVE');
    expect((await live.post('/test-clocks', { now: start })).body).toMatchObject({
      status: 409,
      code: 'clock.live_tenant',
    });
    expect((await live.get('/test-clocks')).body.totalItems).toBe(0);
  });

  test('is made once per Idempotency-Key', async () => {
    const send = () => client.post('/test-clocks', { now: start }, { 'Idempotency-Key': 'k' });
    const first = await send();
    expect(await send()).toMatchObject({ status: 201, body: first.body });
    expect((await client.get('/test-clocks')).body.totalItems).toBe(1);
  });

  test('is listed by status and name; another tenant sees none', async () => {
    const a = await create({ name: 'b' });
    const b = await create({ name: 'a' });
    await advance(a.id, october);
    const ids = async (query: string) =>
      (await client.get(`/test-clocks?${query}`)).body.items.map((one: { id: string }) => one.id);
    expect(await ids('')).toEqual([a.id, b.id]);
    expect(await ids('sort=name')).toEqual([b.id, a.id]);
    expect(await ids('status=ADVANCING')).toEqual([a.id]);
    const stranger = await api.tenant();
    expect((await stranger.get('/test-clocks')).body.totalItems).toBe(0);
    expect((await stranger.get(`/test-clocks/${a.id}`)).status).toBe(404);
    expect((await stranger.post(`/test-clocks/${b.id}/advance`, { to: october })).status).toBe(404);
  });
});

describe('advancing', () => {
  test('answers at once, and tells the workflow', async () => {
    const clock = await create();
    const { status, body } = await advance(clock.id, october);
    expect(status).toBe(202);
    expect(body).toEqual({ ...clock, targetAt: october, status: 'ADVANCING' });
    expect(await messages(clock.id)).toEqual([{ topic: 'clock.advance', payload: { testClockId: clock.id } }]);
    expect(await advances(clock.id)).toBe(1);
  });

  test('to the present instant is allowed: it waits for what is due', async () => {
    const clock = await create();
    expect((await advance(clock.id, start)).body).toMatchObject({ status: 'ADVANCING', now: start, targetAt: start });
    expect(await messages(clock.id)).toHaveLength(1);
  });

  test('backwards is refused', async () => {
    const clock = await create();
    expect((await advance(clock.id, '2026-07-31T23:59:59.999Z')).body).toMatchObject({
      status: 409,
      code: 'clock.backwards',
      errors: [{ path: 'to', message: expect.stringContaining(start) }],
    });
    expect((await client.get(`/test-clocks/${clock.id}`)).body).toEqual(clock);
    expect(await messages(clock.id)).toHaveLength(0);
  });

  test('while it moves, the same target is answered as it stands and another is refused', async () => {
    const clock = await create();
    const first = await advance(clock.id, october);
    expect(await advance(clock.id, october)).toMatchObject({ status: 202, body: first.body });
    expect((await advance(clock.id, '2026-11-01T00:00:00Z')).body).toMatchObject({ status: 409, code: 'clock.busy' });
    expect((await client.get(`/test-clocks/${clock.id}`)).body).toEqual(first.body);
    expect(await messages(clock.id)).toHaveLength(1);
    expect(await advances(clock.id)).toBe(1);
  });

  test('a FAILED one may be tried again; the error is gone', async () => {
    const clock = await create();
    await advance(clock.id, october);
    await arrive(clock.id, 'FAILED', 'Run run_1 is BLOCKED');
    expect((await client.get(`/test-clocks/${clock.id}`)).body).toMatchObject({
      status: 'FAILED',
      error: 'Run run_1 is BLOCKED',
    });
    expect((await advance(clock.id, october)).body).toMatchObject({ status: 'ADVANCING', error: null });
    expect(await advances(clock.id)).toBe(2);
  });

  test('of two at once with different targets one starts', async () => {
    const clock = await create();
    const answers = await Promise.all([advance(clock.id, october), advance(clock.id, '2026-11-01T00:00:00Z')]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409]);
    expect(await advances(clock.id)).toBe(1);
  });

  test('waits for an advance that has not committed yet, and is refused by it', async () => {
    const clock = await create();
    const second = await whileOpen(
      api.db,
      client.tenantId,
      (tx) => advanceTestClock(tx, clock.id, october, 'test'),
      () => advance(clock.id, '2026-11-01T00:00:00Z'),
    );
    expect(second.body).toMatchObject({ status: 409, code: 'clock.busy' });
    expect(await advances(clock.id)).toBe(1);
  });

  test('is refused without an instant, and for a clock that is not there', async () => {
    const clock = await create();
    expect((await client.post(`/test-clocks/${clock.id}/advance`)).body).toMatchObject({
      status: 400,
      errors: [{ path: 'to' }],
    });
    expect((await advance(clock.id, '2026-10-01')).body).toMatchObject({ status: 400, code: 'date.invalid' });
    expect((await advance('clk_none', october)).status).toBe(404);
  });

  test('is in the audit log, by the clock itself', async () => {
    const clock = await create();
    await advance(clock.id, october);
    await advance(clock.id, october);
    const { items } = (await client.get(`/audit-events?subjectId=${clock.id}`)).body;
    expect(items).toMatchObject([
      { action: 'test_clock.created', happenedAt: start },
      { action: 'test_clock.advanced', happenedAt: start, detail: { from: start, to: october } },
    ]);
  });
});
