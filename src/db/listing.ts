import { type SelectQueryBuilder, sql } from 'kysely';
import { BillingError } from '../domain/errors.ts';

/** One page of a list. */
export interface Page<Item> {
  readonly items: Item[];
  readonly page: number;
  readonly size: number;
  readonly totalItems: number;
  readonly totalPages: number;
}

/** One stretch of a feed: by page, with totals; or by cursor, without counting what lies behind. */
export type Feed<Item> = (Page<Item> | { readonly items: Item[]; readonly size: number }) & {
  readonly nextCursor: string | null;
};

export interface PageRequest {
  /** From 0. */
  readonly page: number;
  /** 1 to 200. */
  readonly size: number;
  /** A column as SQL knows it (`c.created_at`), and the id that settles ties: together they order totally. */
  readonly order: Order;
}

export interface Order {
  readonly by: string;
  readonly id: string;
  readonly descending: boolean;
}

// oxlint-disable-next-line typescript/no-explicit-any -- any query over any tables
type AnyQuery<Row> = SelectQueryBuilder<any, any, Row>;

/**
 * Reads one page. Ordered by creation and id, what is inserted meanwhile comes at the end, so that pages stay as they were.
 *
 * @param query filtered and selecting, without order or limit.
 */
export async function listPage<Row>(query: AnyQuery<Row>, request: PageRequest): Promise<Page<Row>> {
  const { page, size, order } = request;
  const items = await ordered(query, order)
    .limit(size)
    .offset(page * size)
    .execute();
  const totalItems = page === 0 && items.length < size ? items.length : await count(query);
  return { items, page, size, totalItems, totalPages: Math.ceil(totalItems / size) };
}

/**
 * Reads one stretch of a growing feed.
 *
 * @param request.cursor the `nextCursor` of the stretch before; absent for the first.
 * @param cursorOf       of an item, the value ordered by (as text) and its id.
 * @throws               `request.invalid` when the cursor is none of ours.
 */
export async function listFeed<Row>(
  query: AnyQuery<Row>,
  request: PageRequest & { readonly cursor: string | undefined },
  cursorOf: (row: Row) => readonly [by: string, id: string],
): Promise<Feed<Row>> {
  const { cursor, size, order } = request;
  const nextOf = (items: Row[]): string | null => {
    const last = items.at(-1);
    return items.length < size || last === undefined ? null : encode(cursorOf(last));
  };
  if (cursor === undefined) {
    const found = await listPage(query, request);
    return { ...found, nextCursor: found.page + 1 < found.totalPages ? nextOf(found.items) : null };
  }
  const [by, id] = decode(cursor);
  const after = sql<boolean>`(${sql.ref(order.by)}, ${sql.ref(order.id)}) ${sql.raw(order.descending ? '<' : '>')} (${by}, ${id})`;
  const items = await ordered(query.where(after), order).limit(size).execute();
  return { items, size, nextCursor: nextOf(items) };
}

const ordered = <Row>(query: AnyQuery<Row>, { by, id, descending }: Order): AnyQuery<Row> => {
  const direction = descending ? 'desc' : 'asc';
  return query.orderBy(sql.ref(by), direction).orderBy(sql.ref(id), direction);
};

async function count(query: AnyQuery<unknown>): Promise<number> {
  const { total } = await query
    .clearSelect()
    .select(sql<number>`count(*)::int8`.as('total'))
    .executeTakeFirstOrThrow();
  return Number(total);
}

const encode = (position: readonly [string, string]): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url');

function decode(cursor: string): [string, string] {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(position) && position.length === 2 && position.every((part) => typeof part === 'string')) {
      return position as [string, string];
    }
  } catch {
    // told below
  }
  const message = 'Not a cursor of this list. Send the nextCursor of the page before, as it is.';
  throw new BillingError('request.invalid', message, [{ path: 'cursor', message }]);
}
