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
  /**
   * The same rows, filtered, without what is joined only to be shown; the query then has no filter of its own. Counted,
   * ordered and passed over in an index, where the query would fetch and join all that lies before its page.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- any query over any tables
  readonly keys?: AnyQuery<any>;
}

export interface Order {
  readonly by: string;
  readonly id: string;
  readonly descending: boolean;
  /**
   * What is filtered lies together in this order, such as the days of a month among instants: the index of the filter is to
   * find it, and a sort to order it. PostgreSQL takes the two for independent, and would walk in order to where it begins.
   */
  readonly isClustered?: boolean;
}

// oxlint-disable-next-line typescript/no-explicit-any -- any query over any tables
type AnyQuery<Row> = SelectQueryBuilder<any, any, Row>;

/**
 * Reads one page. Ordered by creation and id, what is inserted meanwhile comes at the end, so that pages stay as they were.
 *
 * @param query filtered (unless `request.keys` is) and selecting, without order or limit.
 */
export async function listPage<Row>(query: AnyQuery<Row>, request: PageRequest): Promise<Page<Row>> {
  const { page, size, keys = query } = request;
  const before = page * size;
  const items = await stretch(query, request, (chosen) => chosen.offset(before)).execute();
  const isLast = items.length < size && (page === 0 || items.length > 0);
  const totalItems = isLast ? before + items.length : await count(keys);
  return { items, page, size, totalItems, totalPages: Math.ceil(totalItems / size) };
}

/**
 * Reads one stretch of a growing feed.
 *
 * @param request.cursor the `nextCursor` of the stretch before; absent for the first.
 * @param cursorOf       of an item, the value ordered by (as text) and its id.
 * @throws               `request.refused` when the cursor is none of ours.
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
  // Behind a cursor what is wanted lies ahead, and the order leads there.
  const onward = { ...request, order: { ...order, isClustered: false } };
  const items = await stretch(query, onward, (chosen) => chosen.where(after))
    .execute()
    .catch((error: { code?: string }) => {
      throw UNREADABLE.has(error.code ?? '') ? notACursor() : error;
    });
  return { items, size, nextCursor: nextOf(items) };
}

/** One stretch of a query: chosen by its keys where it has them, else by itself. */
function stretch<Row>(
  query: AnyQuery<Row>,
  { keys, order, size }: PageRequest,
  narrow: <Any>(chosen: AnyQuery<Any>) => AnyQuery<Any>,
): AnyQuery<Row> {
  if (keys === undefined) return ordered(narrow(query), order).limit(size);
  const ids = ordered(narrow(keys.select(sql.ref<string>(order.id).as('id'))), order).limit(size);
  return ordered(query.where(sql<boolean>`${sql.ref(order.id)} = any(array${ids})`), order);
}

const ordered = <Row>(query: AnyQuery<Row>, { by, id, descending, isClustered }: Order): AnyQuery<Row> => {
  const direction = descending ? 'desc' : 'asc';
  // No index is in the order of a sum.
  const value = isClustered ? sql`${sql.ref(by)} + interval '0'` : sql.ref(by);
  return query.orderBy(value, direction).orderBy(sql.ref(id), direction);
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
  throw notACursor();
}

/** What PostgreSQL says to a value that is not of the type ordered by: the cursor is another list's. */
const UNREADABLE = new Set(['22P02', '22007', '22008', '22003']);

const notACursor = (): BillingError => {
  const message = 'Not a cursor of this list. Send the nextCursor of the page before, as it is.';
  return new BillingError('request.refused', message, [{ path: 'cursor', message }]);
};
