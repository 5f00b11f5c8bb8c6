import { resolve } from 'node:path';
import { z } from 'zod';

/** What a person sets from outside. Everything has a default, so that `npm start` needs nothing. */
export interface Config {
  /** TCP port of the API, 0 to 65535; 0 takes any free one. */
  readonly port: number;
  readonly host: string;
  /** Absolute path of the folder that holds what `npm start` keeps. */
  readonly dataDir: string;
  /** Null when it is to be generated into `dataDir`. */
  readonly platformApiKey: string | null;
  /** Connection string of a role that may create roles and tables; null for the built-in PostgreSQL. */
  readonly databaseUrl: string | null;
  /** `host:port` of a Temporal frontend; null for the built-in server. */
  readonly temporalAddress: string | null;
  readonly temporalNamespace: string;
  readonly temporalTaskQueue: string;
  /** Base of the links into the Temporal UI; null when it is not known. */
  readonly temporalUiUrl: string | null;
  /** Base of the links in answers and documents; null for the address listened on. */
  readonly publicUrl: string | null;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** One variable or more cannot be used; the message has a line for each, with the cure. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const url = (protocols: string, example: string) =>
  z.url({ protocol: new RegExp(`^(${protocols})$`), error: `is not such an address; write it like ${example}` });

const text = (cure: string) => z.string().regex(/^\S+$/, { error: cure });

const environmentSchema = z.object({
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, { error: 'is not a port; use a number from 0 to 65535' })
    .transform(Number)
    .refine((port) => port <= 65_535, { error: 'is not a port; use a number from 0 to 65535' })
    .default(3000),
  HOST: text('is not a host; use a name or address such as 127.0.0.1').default('127.0.0.1'),
  DATA_DIR: z
    .string()
    .transform((path) => resolve(path))
    .default(() => resolve('.tributary')),
  PLATFORM_API_KEY: text('holds white space; use one word, such as the output of `openssl rand -hex 32`').optional(),
  DATABASE_URL: url('postgres|postgresql', 'postgresql://user:password@127.0.0.1:5432/tributary').optional(),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s/]+:\d{1,5}$/, { error: 'is not host:port; write it like 127.0.0.1:7233' })
    .optional(),
  TEMPORAL_NAMESPACE: text('holds white space; use the name of a namespace, such as default').default('default'),
  TEMPORAL_TASK_QUEUE: text('holds white space; use one word, such as tributary-billing').default('tributary-billing'),
  TEMPORAL_UI_URL: url('https?', 'http://127.0.0.1:8233').optional(),
  PUBLIC_URL: url('https?', 'https://billing.example.com').optional(),
  LOG_LEVEL: z
    .enum(LOG_LEVELS, { error: `is none of the levels; use one of ${LOG_LEVELS.join(', ')}` })
    .default('info'),
});

/**
 * Reads the configuration; the only reader of the environment. An empty variable counts as absent.
 *
 * @throws `ConfigError` that names each variable at fault and what to write instead. Values are not repeated: some are secret.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== '');
  const parsed = environmentSchema.safeParse(Object.fromEntries(given));
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}.`).join('\n'));
  }
  const values = parsed.data;
  return Object.freeze({
    port: values.PORT,
    host: values.HOST,
    dataDir: values.DATA_DIR,
    platformApiKey: values.PLATFORM_API_KEY ?? null,
    databaseUrl: values.DATABASE_URL ?? null,
    temporalAddress: values.TEMPORAL_ADDRESS ?? null,
    temporalNamespace: values.TEMPORAL_NAMESPACE,
    temporalTaskQueue: values.TEMPORAL_TASK_QUEUE,
    temporalUiUrl: values.TEMPORAL_UI_URL ?? null,
    publicUrl: values.PUBLIC_URL ?? null,
    logLevel: values.LOG_LEVEL,
  });
}

/** The environment of a program that we start: ours, with these variables set. */
export const environmentWith = (variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...process.env,
  ...variables,
});

/** Where programs are looked for, in order, and where caches live: what the machine says, outside the checkout. */
export const machinePaths = (): { readonly searchPath: readonly string[]; readonly cacheHome: string | null } => ({
  searchPath: (process.env['PATH'] ?? '').split(process.platform === 'win32' ? ';' : ':').filter((part) => part !== ''),
  cacheHome: process.env['XDG_CACHE_HOME'] || null,
});
