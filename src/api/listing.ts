import { z } from 'zod';

const PAGE_SIZE_MAX = 200;
/** Beyond it PostgreSQL's offset would overflow, and nobody reads that far. */
const PAGE_MAX = 10_000_000;

/** A whole number in a query string. */
export const queryNumber = (min: number, max: number) =>
  z
    .string()
    .transform((value, context) => {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (number >= min && number <= max) return number;
      context.addIssue({ code: 'custom', message: `Send a whole number from ${min} to ${max}.` });
      return z.NEVER;
    })
    .meta({ type: 'integer', minimum: min, maximum: max });

/** `true` or `false` in a query string. */
export const queryFlag = () => z.enum(['true', 'false']).transform((value) => value === 'true');

const paging = {
  page: queryNumber(0, PAGE_MAX).default(0),
  size: queryNumber(1, PAGE_SIZE_MAX).default(20),
};

/** `name`, `-name` or `name,desc` for each column that may be sorted by; ascending unless it says otherwise. */
const sortBy = <const Columns extends readonly [string, ...string[]]>(columns: Columns) =>
  z
    .string()
    .transform((value, context): Sort<Columns[number]> => {
      const [, minus = '', name = '', direction = 'asc'] = /^(-?)(\w+)(?:,(asc|desc))?$/.exec(value) ?? [];
      const column = columns.find((candidate) => candidate === name);
      if (column !== undefined) return { column, descending: minus === '-' || direction === 'desc' };
      context.addIssue({
        code: 'custom',
        message: `Sort by one of ${columns.join(', ')}; put a minus in front to reverse.`,
      });
      return z.NEVER;
    })
    .meta({ examples: [`-${columns[0]}`], pattern: `^-?(${columns.join('|')})(,(asc|desc))?$` });

export interface Sort<Column extends string> {
  readonly column: Column;
  readonly descending: boolean;
}

/**
 * The query of a list: `page`, `size`, `sort` (the first column named, ascending, unless sent) and the resource's filters.
 *
 * @param sortable what it may be sorted by, `createdAt` first.
 */
export const listQuery = <const Columns extends readonly [string, ...string[]], Filters extends z.core.$ZodLooseShape>(
  sortable: Columns,
  filters: Filters,
) =>
  z.strictObject({
    ...paging,
    sort: sortBy(sortable).default({ column: sortable[0], descending: false } as Sort<Columns[number]>),
    ...filters,
  });

/** The query of a growing feed: that of a list, and `cursor`, which goes on after the last item seen. */
export const feedQuery = <const Columns extends readonly [string, ...string[]], Filters extends z.core.$ZodLooseShape>(
  sortable: Columns,
  filters: Filters,
) => listQuery(sortable, { cursor: z.string().max(1000).optional(), ...filters });

/** The answer of a list. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), page: z.int(), size: z.int(), totalItems: z.int(), totalPages: z.int() });

/** The answer of a feed. Read on with `cursor=<nextCursor>` until it is null; a page found by cursor counts nothing. */
export const feedOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable(),
    size: z.int(),
    page: z.int().optional(),
    totalItems: z.int().optional(),
    totalPages: z.int().optional(),
  });
