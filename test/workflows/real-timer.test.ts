import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowId } from '../../src/workflows/contract.ts';
import type { Client } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { eventually, startTestStack, type TestStack } from '../support/stack.ts';
import { readable } from './histories.ts';

/** The product's clock. */
let shift = 0;
const set = (instant: string): void => {
  shift = Date.parse(instant) - Date.now();
};
const clock = { now: () => new Date(Date.now() + shift).toISOString() };

let stack: TestStack;
let api: Client;
beforeAll(async () => {
  stack = await startTestStack({ clock });
  api = await stack.api.tenant();
});
afterAll(() => stack.close());

test('a group whose boundary is seconds away bills by itself, and the Temporal UI says all about it', async () => {
  set('2026-07-31T18:00:00Z');
  const payer = await create(api, '/customers', { name: 'Night owl' });
  const group = await create(api, '/billing-groups', { payerCustomerId: payer.id, anchorDate: '2026-08-01' });
  await create(api, '/subscriptions', {
    customerId: payer.id,
    billingGroupId: group.id,
    prices: [flat('base', '31.00')],
    startDate: '2026-07-31',
  });
  const handle = stack.temporal.workflow.getHandle(workflowId.billingGroup(api.tenantId, group.id));
  await eventually(async () => {
    const state = await handle.query<{ waitingFor: string }>('state').catch(() => null);
    return state?.waitingFor === 'sleeping until 2026-08-01 00:00 UTC';
  }, 'the group to sleep');
  expect((await api.get('/invoices')).body.totalItems).toBe(0);

  // Six hours later the timer is set anew, for the few seconds that are left.
  set('2026-07-31T23:59:55Z');
  await handle.signal('refresh');
  const invoice = await eventually(async () => {
    const { items } = (await api.get('/invoices?include=lines')).body;
    return items[0]?.status === 'OPEN' ? items[0] : null;
  }, 'the invoice');
  expect(invoice).toMatchObject({ number: 'INV-0001', issueDate: '2026-08-01', total: '32.00' });
  expect(Date.parse(invoice.issuedAt) - Date.parse('2026-08-01T00:00:00Z')).toBeLessThan(20_000);

  const description = await eventually(async () => {
    const found = await handle.describe();
    const next = found.typedSearchAttributes.getAll().find(({ key }) => key.name === 'TributaryNextBilling');
    return String(next?.value).includes('Aug 31') || JSON.stringify(next?.value).includes('2026-09-01') ? found : null;
  }, 'the next boundary');
  const attributes = Object.fromEntries(
    description.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
  );
  expect(attributes).toMatchObject({
    TributaryTenant: api.tenantId,
    TributaryGroup: group.id,
    TributaryEntity: 'DEFAULT',
    TributaryPayer: payer.id,
    TributaryStatus: 'ACTIVE',
    TributaryNextBilling: new Date('2026-09-01T00:00:00Z'),
  });

  // What no stack trace says (decision 22).
  expect(await handle.query<string>('__stack_trace')).not.toContain(' at ');

  const history = await handle.fetchHistory();
  const text = readable(history);
  expect(text).toContain('sleeping until 2026-08-01 00:00 UTC');
  for (const step of ['advanceGroup', 'collectCharges', 'applyCoupons', 'applyTax', 'applyCredits', 'issueInvoice']) {
    expect(text, `${step} is visible by name`).toContain(step);
  }
});

test('what an operator tells the workflow is what the API tells the group', async () => {
  const payer = await create(api, '/customers', { name: 'Operated' });
  const { billingGroupId } = await create(api, '/subscriptions', {
    customerId: payer.id,
    prices: [flat('base', '10.00')],
  });
  const handle = stack.temporal.workflow.getHandle(workflowId.billingGroup(api.tenantId, billingGroupId));
  const group = async () => (await api.get(`/billing-groups/${billingGroupId}`)).body;
  await eventually(() => handle.describe().catch(() => null), 'the workflow');
  await handle.executeUpdate('pause');
  expect((await group()).status).toBe('PAUSED');
  await handle.executeUpdate('resume');
  expect((await group()).status).toBe('ACTIVE');
  await handle.executeUpdate('billNow');
  await eventually(
    async () => (await api.get(`/customers/${payer.id}/invoices?status=OPEN`)).body.totalItems === 1,
    'the invoice',
  );
  const { nextBillingAt } = await group();
  await handle.executeUpdate('skip', { args: [nextBillingAt] });
  await expect(handle.executeUpdate('resume')).rejects.toMatchObject({
    cause: { message: expect.stringContaining('nothing to resume') },
  });
  const actions = (await api.get(`/audit-events?subjectType=billing_group&subjectId=${billingGroupId}`)).body.items.map(
    ({ action, actor }: { action: string; actor: string }) => `${actor} ${action}`,
  );
  expect(actions.slice(1)).toEqual([
    'temporal billing_group.pause',
    'temporal billing_group.resume',
    'temporal billing_group.billNow',
    'temporal billing_group.skip',
  ]);
});
