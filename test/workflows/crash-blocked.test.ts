import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowId } from '../../src/workflows/contract.ts';
import type { Client } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { eventually, startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let api: Client;
beforeAll(async () => {
  stack = await startTestStack();
  api = await stack.api.tenant();
});
afterAll(() => stack.close());

/** A payer of an entity, to be billed now. */
async function subscribe(code: string, fields: object = {}): Promise<string> {
  const payer = await create(api, '/customers', { name: code, ...fields });
  const subscription = await create(api, '/subscriptions', { customerId: payer.id, prices: [flat(code, '10.00')] });
  return subscription.billingGroupId;
}

const groupOf = async (groupId: string) => (await api.get(`/billing-groups/${groupId}`)).body;
const runsOf = async (groupId: string) => (await api.get(`/billing-groups/${groupId}/runs`)).body.items;

const untilStatus = (groupId: string, status: string) =>
  eventually(
    async () => {
      const [run] = await runsOf(groupId);
      return run?.status === status ? run : null;
    },
    `the run to be ${status}`,
    60,
  );

/** What the Temporal UI finds it by. */
const statusAttribute = async (groupId: string): Promise<unknown> => {
  const handle = stack.temporal.workflow.getHandle(workflowId.billingGroup(api.tenantId, groupId));
  const { typedSearchAttributes } = await handle.describe();
  return typedSearchAttributes.getAll().find(({ key }) => key.name === 'TributaryStatus')?.value;
};

/** Every number of an entity's invoices. */
const numbersLike = async (prefix: string): Promise<string[]> =>
  (
    await stack.api.db.query<{ number: string }>(
      `select number from invoices where number like $1 || '%' order by length(number), number`,
      [prefix],
    )
  ).map(({ number }) => number);

describe('a run that cannot finish', () => {
  test('is BLOCKED with its reason wherever an operator looks; mended and resumed, it is issued', async () => {
    const groupId = await subscribe('breaks');
    const setAmount = (amount: unknown) =>
      stack.api.db.query(`update prices set definition = definition || $1::jsonb where code = 'breaks'`, [
        JSON.stringify({ amount }),
      ]);
    await setAmount('ten');
    await create(api, `/billing-groups/${groupId}/bill-now`, {});
    const blocked = await untilStatus(groupId, 'BLOCKED');
    expect(blocked).toMatchObject({ reason: expect.stringContaining('ten'), invoiceId: null });
    expect(await groupOf(groupId)).toMatchObject({ status: 'BLOCKED', statusReason: blocked.reason });
    await eventually(async () => (await statusAttribute(groupId)) === 'BLOCKED', 'the search attribute');
    const found = await eventually(async () => {
      const ids: string[] = [];
      const query = `TributaryStatus = 'BLOCKED' and TributaryTenant = '${api.tenantId}'`;
      for await (const { workflowId: id } of stack.temporal.workflow.list({ query })) ids.push(id);
      return ids.length > 0 ? ids : null;
    }, 'the workflow among the BLOCKED ones');
    expect(found).toEqual([workflowId.billingGroup(api.tenantId, groupId)]);

    await setAmount('10.00');
    await create(api, `/billing-groups/${groupId}/resume`, {});
    const issued = await untilStatus(groupId, 'ISSUED');
    expect(issued).toMatchObject({ id: blocked.id, reason: null });
    expect((await api.get(`/invoices/${issued.invoiceId}`)).body).toMatchObject({ status: 'OPEN', total: '10.00' });
    expect(await groupOf(groupId)).toMatchObject({ status: 'ACTIVE', statusReason: null });
    await eventually(async () => (await statusAttribute(groupId)) === 'ACTIVE', 'the search attribute to follow');
  }, 120_000);

  test('because its number was given before leaves no gap when the format is mended', async () => {
    const entity = await create(api, '/billing-entities', {
      entityCode: 'REPEATS',
      displayName: 'Repeats',
      countryCode: 'US',
      baseCurrency: 'USD',
      invoiceNumberFormat: '{prefix}{seq}',
      invoiceNumberPrefix: 'R1',
    });
    const bill = async (code: string): Promise<string> => {
      const groupId = await subscribe(code, { billingEntityId: entity.id });
      await create(api, `/billing-groups/${groupId}/bill-now`, {});
      return groupId;
    };
    for (let index = 1; index <= 10; index += 1) await untilStatus(await bill(`before-${index}`), 'ISSUED');
    const before = ['R11', 'R12', 'R13', 'R14', 'R15', 'R16', 'R17', 'R18', 'R19', 'R110'];
    expect(await numbersLike('R')).toEqual(before);

    // With this prefix the eleventh number would read like the first.
    await api.put(`/billing-entities/${entity.id}`, { invoiceNumberPrefix: 'R' });
    const groupId = await bill('repeats');
    const blocked = await untilStatus(groupId, 'BLOCKED');
    expect(blocked.reason).toContain('The number R11 was given before');
    expect(await numbersLike('R')).toEqual(before);

    await api.put(`/billing-entities/${entity.id}`, { invoiceNumberFormat: '{prefix}/{seq}' });
    await create(api, `/billing-groups/${groupId}/resume`, {});
    await untilStatus(groupId, 'ISSUED');
    await untilStatus(await bill('after'), 'ISSUED');
    expect((await numbersLike('R')).toSorted()).toEqual([...before, 'R/11', 'R/12'].toSorted());
  }, 120_000);
});

test('numbers have no gap when several workers issue what comes in at once', async () => {
  const extra = [await stack.addWorker(), await stack.addWorker()];
  const entity = await create(api, '/billing-entities', {
    entityCode: 'BUSY',
    displayName: 'Busy',
    countryCode: 'US',
    baseCurrency: 'USD',
    invoiceNumberPrefix: 'BUSY',
  });
  const count = 60;
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const payer = await create(api, '/customers', { name: `Busy ${index}`, billingEntityId: entity.id });
      const charge = { customerId: payer.id, description: 'Now', amount: '1.00', timing: 'IMMEDIATE' };
      await create(api, '/charges', charge);
    }),
  );
  const numbers = await eventually(
    async () => {
      const found = await numbersLike('BUSY');
      return found.length === count ? found : null;
    },
    `${count} invoices`,
    90,
  );
  expect(numbers).toEqual(Array.from({ length: count }, (_, index) => `BUSY-${String(index + 1).padStart(4, '0')}`));
  const inOrder = await stack.api.db.query<{ number: string }>(
    `select number from invoices where number like 'BUSY%' order by issued_at, number`,
  );
  expect(inOrder.map(({ number }) => number)).toEqual(numbers);
  await Promise.all(extra.map((worker) => worker.stop()));
}, 180_000);
