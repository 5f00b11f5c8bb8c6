import { glob, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { findFaults } from './tidiness.ts';

test('the sources are tidy', async () => {
  const faults: string[] = [];
  for await (const file of glob(['src/**/*.ts', 'demo/**/*.ts', 'bench/**/*.ts'])) {
    for (const { line, reason } of findFaults(file, await readFile(file, 'utf8'))) {
      faults.push(`${file}:${line} ${reason}`);
    }
  }
  expect(faults).toEqual([]);
});

// A check that finds nothing may be blind: each rule is broken here on purpose.
// prettier-ignore
test.each([
  { file: 'src/db/tax-helper.ts',          source: '',                                             reason: "'helper' in a file name" },
  { file: 'src/db/utils.ts',               source: '',                                             reason: "'utils' in a file name" },
  { file: 'src/api/tax.ts',                source: 'const taxManager = 1;',                        reason: "the name 'taxManager'" },
  { file: 'src/api/tax.ts',                source: '  const data = read();',                       reason: "the name 'data'" },
  { file: 'src/api/tax.ts',                source: 'export class InvoiceService {}',               reason: "the name 'InvoiceService'" },
  { file: 'src/api/tax.ts',                source: 'export async function runTemp() {}',           reason: "the name 'runTemp'" },
  { file: 'src/domain/tax/rates.ts',       source: 'export function ratesOf() {}',                 reason: 'an exported function without a doc comment' },
  { file: 'src/domain/tax/rates.ts',       source: 'export const ratesOf = (on: string) => on;',   reason: 'an exported function without a doc comment' },
  { file: 'src/activities/apply-tax.ts',   source: 'export const apply = async () => 1;',          reason: 'an exported function without a doc comment' },
  { file: 'src/api/tax.ts',                source: '// TODO: later',                               reason: 'something unfinished' },
  { file: 'src/api/tax.ts',                source: "const folder = '/home/ada/tributary';",        reason: 'a path of one machine' },
  { file: 'src/domain/calendar.ts',        source: 'const today = new Date();',                    reason: 'a clock in the domain' },
])('$file with $source is refused: $reason', ({ file, source, reason }) => {
  expect(findFaults(file, source).map((fault) => fault.reason)).toEqual([reason]);
});

// prettier-ignore
test.each([
  { file: 'src/domain/tax/rates.ts', source: '/** Rates at a place. */\nexport function ratesOf() {}' },
  { file: 'src/domain/tax/rates.ts', source: 'export const RATES = new Map();' },
  { file: 'src/domain/tax/rates.ts', source: 'export interface Rate {}' },
  { file: 'src/api/tax.ts',          source: 'export const taxRoutes = (tx: Tx) => tx;' },
  { file: 'src/api/tax.ts',          source: 'const metadata = read();\nconst dataDir = 1;' },
])('$file with $source passes', ({ file, source }) => {
  expect(findFaults(file, source)).toEqual([]);
});
