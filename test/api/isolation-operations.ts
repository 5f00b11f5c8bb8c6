/** A JSON schema, as far as the walk reads it. */
interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly $ref?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly examples?: readonly unknown[];
}

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly schema: JsonSchema;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

interface OpenApiOperation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
  readonly security?: readonly unknown[];
}

/** A place of a request body where a text of the caller's choice may stand. */
export interface TextField {
  /** `customerId`, `prices[].code`, `quantities{}`. */
  readonly path: string;
  /** Its schema says that it is the id of something. */
  readonly isReference: boolean;
}

/** One method of one path of the API, as the OpenAPI document describes it. */
export interface Operation {
  /** `POST /customers/{customerId}/archive` */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly params: readonly string[];
  /** Parameters of the query that take a text of the caller's choice. */
  readonly filters: readonly string[];
  readonly fields: readonly TextField[];
  readonly takesBody: boolean;
  readonly needsKey: boolean;
}

const BASE = '/api/v1';

/** What every reference shows as its example. */
const REFERENCE_EXAMPLE = 'cus_01JD…';

/** Every operation of an OpenAPI document. */
export function operationsOf(document: object): Operation[] {
  const { paths, components } = document as OpenApi;
  return Object.entries(paths).flatMap(([fullPath, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const path = fullPath.slice(BASE.length);
      const parameters = operation.parameters ?? [];
      const body = operation.requestBody?.content['application/json']?.schema;
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        params: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''),
        filters: parameters
          .filter(
            (parameter) => parameter.in === 'query' && textFields(parameter.schema, '', components.schemas).length > 0,
          )
          .map(({ name }) => name),
        fields: body === undefined ? [] : distinct(textFields(body, '', components.schemas)),
        takesBody: body !== undefined,
        needsKey: operation.security?.length !== 0,
      };
    }),
  );
}

/** The places of a schema, however deep, that take any text. */
function textFields(schema: JsonSchema, path: string, named: Readonly<Record<string, JsonSchema>>): TextField[] {
  const { $ref, properties = {}, items, additionalProperties, anyOf = [], oneOf = [], allOf = [] } = schema;
  if ($ref !== undefined) return textFields(named[$ref.split('/').at(-1) ?? ''] ?? {}, path, named);
  const inProperties = Object.entries(properties).flatMap(([name, inner]) =>
    textFields(inner, path === '' ? name : `${path}.${name}`, named),
  );
  return [
    ...(takesAnyText(schema) ? [{ path, isReference: schema.examples?.includes(REFERENCE_EXAMPLE) ?? false }] : []),
    ...[...anyOf, ...oneOf, ...allOf].flatMap((branch) => textFields(branch, path, named)),
    ...inProperties,
    ...(items === undefined ? [] : textFields(items, `${path}[]`, named)),
    ...(typeof additionalProperties === 'object' ? textFields(additionalProperties, `${path}{}`, named) : []),
  ];
}

/** A text that is no instant, no date and none of a few words: it could be the name of something. */
const takesAnyText = ({ type, enum: words, const: word, format }: JsonSchema): boolean =>
  [type].flat().includes('string') &&
  words === undefined &&
  word === undefined &&
  !['date-time', 'date', 'uri'].includes(format ?? '');

const distinct = (fields: readonly TextField[]): TextField[] => [
  ...new Map(fields.map((field) => [field.path, field])).values(),
];
