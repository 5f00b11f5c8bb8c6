import type { Bed } from './bed.ts';
import { type Finding, inParallel, timed, times, whole } from './report.ts';

const REQUESTS = 150;
const WIDTH = 8;

const price = { code: 'base', type: 'RECURRING', model: 'FLAT', amount: '10.00' };

/** Requests that write, from as many clients at once, each in its transaction with its audit event. */
export async function measureApi(bed: Bed): Promise<Finding> {
  const ground = await bed.open();
  const url = await ground.startApi();
  const headers = { Authorization: `Bearer ${ground.apiKey}`, 'Content-Type': 'application/json' };
  const call = async (method: string, path: string, body?: object): Promise<{ id: string }> => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as { id: string };
  };
  const customers: string[] = [];
  const work: [what: string, once: (index: number) => Promise<unknown>][] = [
    ['POST /customers', async (index) => customers.push((await call('POST', '/customers', { name: `C ${index}` })).id)],
    ['GET /customers/{id}', (index) => call('GET', `/customers/${customers[index]}`)],
    [
      'POST /subscriptions',
      (index) => call('POST', '/subscriptions', { customerId: customers[index], prices: [price] }),
    ],
    // prettier-ignore
    ['POST /charges', (index) => call('POST', '/charges', { customerId: customers[index], description: 'One', amount: '1.00' })],
  ];
  const indexes = Array.from({ length: REQUESTS }, (_, index) => index);
  const rows: string[][] = [];
  let first = 0;
  for (const [what, once] of work) {
    const { ms } = await timed(() => inParallel(indexes, WIDTH, once));
    if (first === 0) first = ms;
    rows.push([what, whole(REQUESTS / (ms / 1000)), times(first, ms)]);
  }
  await ground.close();
  return {
    title: `The API, ${WIDTH} clients at once, ${REQUESTS} requests of each kind`,
    columns: ['request', 'a second', 'as fast'],
    rows,
  };
}
