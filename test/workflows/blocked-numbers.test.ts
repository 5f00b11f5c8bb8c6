import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowId } from '../../src/workflows/contract.ts';
import type { Client } from '../support/api.ts';
import { all, create, flat } from '../support/billing-shapes.ts';
import { eventually } from '../support/stack.ts';
import { startTimeline, type Timeline } from './messages-scene.ts';

let timeline: Timeline;
beforeAll(async () => {
  timeline = await startTimeline();
});
afterAll(() => timeline.stack.close());

/** A payer of an entity with a group that is due on 1 February. */
async function openGroup(api: Client, name: string, billingEntityId?: string) {
  const payer = await create(api, '/customers', {
    name,
    ...(billingEntityId === undefined ? {} : { billingEntityId }),
  });
  const group = await create(api, '/billing-groups', {
    payerCustomerId: payer.id,
    anchorDate: '2026-02-01',
    settleMinutes: 0,
  });
  await create(api, '/subscriptions', {
    customerId: payer.id,
    billingGroupId: group.id,
    startDate: '2026-02-01',
    prices: [flat(name, '10.00')],
  });
  return { payerId: payer.id as string, groupId: group.id as string };
}

test('numbers that would repeat block their entity alone; with another format one call each issues them, without a gap', async () => {
  timeline.set('2026-01-10T00:00:00Z');
  const { stack } = timeline;
  const api = await stack.api.tenant();
  const entity = await create(api, '/billing-entities', {
    entityCode: 'REPEATS',
    displayName: 'Repeats',
    countryCode: 'US',
    baseCurrency: 'USD',
    invoiceNumberFormat: '{prefix}{seq}',
    invoiceNumberPrefix: 'R1',
  });
  const first = await openGroup(api, 'first', entity.id);
  const second = await openGroup(api, 'second', entity.id);
  const elsewhere = await openGroup(api, 'elsewhere');
  const numbers = async (): Promise<string[]> =>
    (await all(api, '/invoices')).flatMap(({ number }): string[] => (number === null ? [] : [number])).toSorted();
  const groupOf = async (groupId: string) => (await api.get(`/billing-groups/${groupId}`)).body;
  const untilStatus = (groupId: string, status: string) =>
    eventually(async () => (await groupOf(groupId)).status === status, `the group to be ${status}`, 60);

  for (let index = 1; index <= 10; index += 1) {
    await create(api, '/charges', {
      customerId: first.payerId,
      description: `Before ${index}`,
      amount: '1.00',
      timing: 'IMMEDIATE',
    });
  }
  await eventually(async () => (await numbers()).length === 10, 'ten invoices');
  const before = await numbers();
  expect(before).toEqual(['R11', 'R110', 'R12', 'R13', 'R14', 'R15', 'R16', 'R17', 'R18', 'R19']);

  // With this prefix the eleventh number would read like the first.
  await api.put(`/billing-entities/${entity.id}`, { invoiceNumberPrefix: 'R' });
  timeline.set('2026-02-01T00:00:01Z');
  const groups = [first.groupId, second.groupId, elsewhere.groupId];
  await Promise.all(
    groups.map((groupId) =>
      stack.temporal.workflow.getHandle(workflowId.billingGroup(api.tenantId, groupId)).signal('refresh'),
    ),
  );
  await untilStatus(first.groupId, 'BLOCKED');
  await untilStatus(second.groupId, 'BLOCKED');
  for (const { groupId } of [first, second]) {
    const { statusReason } = await groupOf(groupId);
    expect(statusReason).toContain('The number R11 was given before');
    expect(statusReason).toContain('then resume');
  }
  await eventually(async () => (await numbers()).includes('INV-0001'), 'the other entity’s invoice');
  expect(await numbers()).toEqual(['INV-0001', ...before]);

  await api.put(`/billing-entities/${entity.id}`, { invoiceNumberFormat: '{prefix}/{seq}' });
  for (const [groupId, number] of [
    [second.groupId, 'R/11'],
    [first.groupId, 'R/12'],
  ] as const) {
    await create(api, `/billing-groups/${groupId}/resume`, {});
    await eventually(async () => (await numbers()).includes(number), number);
    expect(await groupOf(groupId)).toMatchObject({ status: 'ACTIVE', statusReason: null });
  }
  expect(await numbers()).toEqual(['INV-0001', 'R/11', 'R/12', ...before]);
}, 120_000);
