import type { Client } from './api.ts';

/** Creates something and gives its body; a refusal is an error that shows it. */
export async function create<Body = any>(api: Client, path: string, body: unknown): Promise<Body> {
  const reply = await api.post(path, body);
  if (reply.status >= 300) throw new Error(`POST ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body as Body;
}

/** A recurring flat price. */
export const flat = (code: string, amount: string, more: Record<string, unknown> = {}) => ({
  code,
  type: 'RECURRING',
  model: 'FLAT',
  amount,
  ...more,
});

/** A recurring price by the unit. */
export const perUnit = (code: string, amount: string, more: Record<string, unknown> = {}) => ({
  ...flat(code, amount, more),
  model: 'PER_UNIT',
});

export const setup = (code: string, amount: string) => ({ code, type: 'SETUP', model: 'FLAT', amount });

/** Every item of a list, page after page. */
export async function all<Item = any>(api: Client, path: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let page = 0; ; page += 1) {
    const { status, body } = await api.get(`${path}${path.includes('?') ? '&' : '?'}size=200&page=${page}`);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    items.push(...body.items);
    if (page + 1 >= body.totalPages) return items;
  }
}
