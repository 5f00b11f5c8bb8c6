import { z } from 'zod';
import type { Route } from '../../src/api/route.ts';

/** A JSON schema, as far as the sweep reads it. */
interface JsonSchema {
  readonly type?: string | string[];
  readonly properties?: Record<string, JsonSchema>;
  readonly items?: JsonSchema;
  readonly anyOf?: JsonSchema[];
  readonly oneOf?: JsonSchema[];
  readonly $ref?: string;
  readonly $defs?: Record<string, JsonSchema>;
  readonly pattern?: string;
  readonly enum?: unknown[];
}

/** A body that must be refused, and the field that the refusal must name. */
export interface BadBody {
  readonly why: string;
  readonly body: unknown;
  /** '' for the body as a whole. */
  readonly path: string;
}

interface Place {
  readonly path: string;
  readonly schema: JsonSchema;
  /** A body that holds a value at this place and nothing else. */
  readonly wrap: (value: unknown) => unknown;
}

const DEPTH_MAX = 5;

/** Every place of a request body where a value may stand, found in the schema that checks it. */
function placesOf(
  schema: JsonSchema,
  place: Omit<Place, 'schema'>,
  defs: Record<string, JsonSchema>,
  depth = 0,
): Place[] {
  const target = schema.$ref === undefined ? schema : (defs[schema.$ref.replace('#/$defs/', '')] ?? {});
  if (depth > DEPTH_MAX) return [];
  const branches = target.anyOf ?? target.oneOf ?? [];
  const here = place.path === '' ? [] : [{ ...place, schema: target }];
  const inBranches = branches.flatMap((branch) =>
    placesOf(branch, place, defs, depth + 1).filter(({ path }) => path !== place.path || branch.pattern !== undefined),
  );
  const inProperties = Object.entries(target.properties ?? {}).flatMap(([name, inner]) =>
    placesOf(
      inner,
      {
        path: place.path === '' ? name : `${place.path}.${name}`,
        wrap: (value) => place.wrap({ [name]: value }),
      },
      defs,
      depth + 1,
    ),
  );
  const inItems =
    target.items === undefined
      ? []
      : placesOf(target.items, { path: `${place.path}[0]`, wrap: (value) => place.wrap([value]) }, defs, depth + 1);
  return [...here, ...inBranches, ...inProperties, ...inItems];
}

const isDecimal = ({ pattern, anyOf = [] }: JsonSchema): boolean =>
  (pattern?.includes('(0|[1-9]') ?? false) || anyOf.some(isDecimal);

const takesNumber = ({ type, anyOf = [] }: JsonSchema): boolean => type === 'number' || anyOf.some(takesNumber);

/** Whether the schema leaves open what stands there, or in the list there: a later check decides. */
const isOpen = (schema: JsonSchema): boolean =>
  Object.keys(schema).length === 0 ||
  (schema.items !== undefined && isOpen(schema.items)) ||
  (schema.anyOf ?? []).some(isOpen);

/** Texts that cannot be stored, wherever they stand. */
const UNSTORABLE = [
  { why: 'a NUL byte', value: 'a\0b' },
  { why: 'half a surrogate pair', value: 'a\ud800b' },
];

/** Values that no field of any request takes, whatever its type. */
const NEVER = [
  ...UNSTORABLE,
  { why: 'an endless text', value: 'x'.repeat(100_000) },
  { why: 'an endless number', value: 1e300 },
  { why: 'a nest', value: [[[[[[['x']]]]]]] },
];

/** Bodies that a route must refuse, made from its own schema. */
export function badBodies(route: Route): BadBody[] {
  const schema = z.toJSONSchema(route.body, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const root = { path: '', wrap: (value: unknown) => value };
  const places = placesOf(schema, root, schema.$defs ?? {});
  return [
    { why: 'an array', body: [], path: '' },
    { why: 'an unknown field', body: { nonsenseField: 1 }, path: 'nonsenseField' },
    ...places.flatMap(({ path, wrap, schema: at }) => [
      ...(isOpen(at) ? UNSTORABLE : NEVER).map(({ why, value }) => ({ why, body: wrap(value), path })),
      ...(isDecimal(at) ? [{ why: 'an amount as text with an exponent', body: wrap('1e3'), path }] : []),
    ]),
  ];
}

/** Bodies that hold a JSON number where the schema wants a decimal string. */
export function moneyAsNumbers(route: Route): BadBody[] {
  const schema = z.toJSONSchema(route.body, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return placesOf(schema, { path: '', wrap: (value) => value }, schema.$defs ?? {})
    .filter(
      ({ schema: at, path }, index, all) =>
        isDecimal(at) &&
        // A quantity may be either.
        !all.some((other) => other.path === path && takesNumber(other.schema)) &&
        all.findIndex((other) => other.path === path) === index,
    )
    .map(({ path, wrap }) => ({ why: 'money as a number', body: wrap(19), path }));
}

/** Queries that a route must refuse. */
export function badQueries(route: Route): { query: string; path: string }[] {
  const names = Object.keys(route.query.shape);
  const paging = ['-1', '1.5', 'abc', '', '1e3', '99999999999999999999'].flatMap((value) => [
    { query: `page=${value}`, path: 'page' },
    { query: `size=${value}`, path: 'size' },
  ]);
  return [
    { query: 'nonsenseField=1', path: 'nonsenseField' },
    ...(names.includes('page')
      ? [...paging, { query: 'size=0', path: 'size' }, { query: 'size=201', path: 'size' }]
      : []),
    ...(names.includes('sort') ? [{ query: 'sort=nonsense', path: 'sort' }] : []),
    ...names.flatMap((name) => [
      { query: `${name}=a%00b`, path: name },
      { query: `${name}=${'x'.repeat(5000)}`, path: name },
      { query: `${name}=a&${name}=b`, path: name },
    ]),
  ];
}
