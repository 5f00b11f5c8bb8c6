import { parseArgs } from 'node:util';

/** Where Temporal keeps its state: in the development server's SQLite, or in PostgreSQL. */
export type StateStore = 'sqlite' | 'postgres';

/** What is asked of `npm run bench`. */
export interface BenchOptions {
  /** Names of measurements; all when empty. */
  readonly asked: readonly string[];
  /** Whether each table goes to `docs/performance` too. */
  readonly keep: boolean;
  /** Groups that are due at the same instant. */
  readonly groups: number;
  readonly on: readonly StateStore[];
  /** How often such groups are billed beside an empty cycle: the median is told. */
  readonly rounds: number;
  /** How long before the instant the workflows begin; null to judge by how fast they were before. */
  readonly leadMs: number | null;
}

const STORES: readonly StateStore[] = ['sqlite', 'postgres'];

/** @throws with what may be written instead. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      keep: { type: 'boolean', default: false },
      groups: { type: 'string', default: '500' },
      on: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      lead: { type: 'string' },
    },
  });
  const { on } = values;
  if (on !== undefined && !STORES.some((store) => store === on)) throw new Error(`--on is ${STORES.join(' or ')}.`);
  return {
    asked: positionals,
    keep: values.keep,
    groups: positive('groups', values.groups),
    on: on === undefined ? STORES : [on as StateStore],
    rounds: positive('rounds', values.rounds),
    leadMs: values.lead === undefined ? null : positive('lead', values.lead) * 1000,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is a whole number from 1 on.`);
  return value;
}
