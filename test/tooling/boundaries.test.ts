import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

// A pattern that matches nothing is silent. So each rule is broken on purpose once, in a copy of the layout, and the linter
// has to notice; and what is allowed next to it has to pass.

interface Planted {
  readonly file: string;
  readonly source: string;
  /** The rule that must refuse it; null when it is allowed. */
  readonly rule: string | null;
}

const IMPORTS = 'eslint(no-restricted-imports)';
const PROPERTIES = 'eslint(no-restricted-properties)';
const GLOBALS = 'eslint(no-restricted-globals)';

const importing = (file: string, specifier: string, rule: string | null): Planted => ({
  file,
  source: `import { thing } from '${specifier}';\nexport const copy = thing;\n`,
  rule,
});

const importingType = (file: string, specifier: string, rule: string | null): Planted => ({
  file,
  source: `import type { Thing } from '${specifier}';\nexport type Copy = Thing;\n`,
  rule,
});

const saying = (file: string, expression: string, rule: string | null): Planted => ({
  file,
  source: `export const said = ${expression};\n`,
  rule,
});

// prettier-ignore
const PLANTED: readonly Planted[] = [
  ...['activities', 'api', 'db', 'gateways', 'relay', 'runtime', 'workflows'].flatMap((layer) => [
    importing('src/domain/credit/planted.ts', `../../${layer}/planted.ts`, IMPORTS),
    importingType('src/domain/planted.ts', `../${layer}/planted.ts`, IMPORTS),
  ]),
  importing('src/domain/planted.ts', '../config.ts', IMPORTS),
  importing('src/domain/planted.ts', 'kysely', IMPORTS),
  importing('src/domain/planted.ts', 'node:fs', IMPORTS),
  importing('src/domain/credit/planted.ts', 'decimal.js', IMPORTS),
  importing('src/domain/credit/planted.ts', 'luxon', IMPORTS),
  importing('src/domain/money.ts', 'decimal.js', null),
  importing('src/domain/money.ts', 'luxon', IMPORTS),
  importing('src/domain/money.ts', '../db/planted.ts', IMPORTS),
  importing('src/domain/calendar.ts', 'luxon', null),
  importing('src/domain/calendar.ts', 'decimal.js', IMPORTS),
  importing('src/domain/credit/planted.ts', '../money.ts', null),
  importing('src/domain/credit/planted.ts', './other.ts', null),

  importing('src/api/planted.ts', 'luxon', IMPORTS),
  importing('src/db/planted.ts', 'decimal.js', IMPORTS),
  importing('src/activities/planted.ts', 'luxon', IMPORTS),
  importing('src/workflows/planted.ts', 'luxon', IMPORTS),
  importing('src/runtime/planted.ts', 'decimal.js', IMPORTS),
  importing('src/planted.ts', 'node:process', IMPORTS),

  importing('src/db/planted.ts', '../activities/planted.ts', IMPORTS),
  importing('src/db/billing/planted.ts', '../../api/planted.ts', IMPORTS),
  importing('src/db/planted.ts', '../relay/planted.ts', IMPORTS),
  importing('src/db/planted.ts', '../workflows/billing-group.ts', IMPORTS),
  importing('src/db/planted.ts', '../workflows/contract.ts', IMPORTS),
  importingType('src/db/planted.ts', '../workflows/contract.ts', null),
  importing('src/db/planted.ts', '../domain/money.ts', null),
  importing('src/gateways/planted.ts', '../api/planted.ts', IMPORTS),

  importing('src/activities/planted.ts', '../api/planted.ts', IMPORTS),
  importing('src/activities/planted.ts', '../workflows/billing-group.ts', IMPORTS),
  importing('src/activities/planted.ts', '../workflows/contract.ts', null),
  importing('src/activities/planted.ts', '../db/planted.ts', null),
  importing('src/relay/planted.ts', '../api/planted.ts', IMPORTS),
  importing('src/relay/planted.ts', '../workflows/search-attributes.ts', null),

  importing('src/workflows/planted.ts', '../activities/index.ts', IMPORTS),
  importingType('src/workflows/planted.ts', '../activities/index.ts', null),
  importing('src/workflows/planted.ts', '../db/planted.ts', IMPORTS),
  importing('src/workflows/planted.ts', '../gateways/planted.ts', IMPORTS),
  importing('src/workflows/planted.ts', 'node:crypto', IMPORTS),
  importing('src/workflows/planted.ts', 'pg', IMPORTS),
  importing('src/workflows/planted.ts', '@temporalio/client', IMPORTS),
  importing('src/workflows/planted.ts', '@temporalio/workflow', null),
  importing('src/workflows/planted.ts', '../domain/errors.ts', null),
  importing('src/workflows/planted.ts', './contract.ts', null),

  importing('src/api/planted.ts', '../activities/planted.ts', IMPORTS),
  importingType('src/api/planted.ts', '../activities/planted.ts', IMPORTS),
  importing('src/api/planted.ts', '../workflows/billing-group.ts', IMPORTS),
  importing('src/api/planted.ts', '../workflows/contract.ts', null),
  importing('src/api/planted.ts', '../db/planted.ts', null),
  importing('src/api/planted.ts', 'express', null),

  saying('src/api/planted.ts', "process.env['PORT']", PROPERTIES),
  saying('src/domain/planted.ts', "process.env['PORT']", PROPERTIES),
  saying('src/start.ts', 'process.env', PROPERTIES),
  saying('src/config.ts', 'process.env', null),
  saying('src/domain/planted.ts', 'Date.now()', PROPERTIES),
  saying('src/domain/planted.ts', 'new Date()', GLOBALS),
  saying('src/domain/planted.ts', 'Math.random()', PROPERTIES),
  saying('src/domain/calendar.ts', 'DateTime.now()', PROPERTIES),
  saying('src/domain/planted.ts', 'performance.now()', GLOBALS),
  saying('src/domain/planted.ts', "Number('1')", null),
  saying('src/api/planted.ts', 'console.log(1)', 'eslint(no-console)'),

  { file: 'src/api/planted.ts', rule: 'eslint(max-lines-per-function)',
    source: `export function long() {\n${'  send();\n'.repeat(60)}}\nconst send = () => 1;\n` },
  { file: 'src/api/planted.ts', rule: 'eslint(max-lines)', source: `${'export {};\n'.repeat(251)}` },
  { file: 'src/api/planted.ts', rule: 'import(no-cycle)', source: "import './planted.ts';\n" },
  { file: 'src/api/planted.ts', rule: 'typescript(no-floating-promises)',
    source: 'const store = async () => 1;\nexport function act() {\n  store();\n}\n' },
  { file: 'src/api/planted.ts', rule: 'typescript(switch-exhaustiveness-check)',
    source: "export function act(side: 'debit' | 'credit') {\n  switch (side) {\n    case 'debit':\n      return 1;\n  }\n  return 2;\n}\n" },
];

let layout: string;
let found: Map<string, string[]>;

/** Every planted file has a folder of its own, below which the layout begins. */
const folderOf = (index: number): string => `case-${index}`;

beforeAll(async () => {
  layout = await mkdtemp(join(tmpdir(), 'tributary-boundaries-'));
  await cp(resolve('tsconfig.json'), join(layout, 'tsconfig.json'));
  await symlink(resolve('node_modules'), join(layout, 'node_modules'));
  await writeFile(join(layout, '.gitignore'), 'node_modules\n');
  await writeFile(join(layout, '.oxlintrc.json'), belowEachFolder(await readFile('.oxlintrc.json', 'utf8')));
  for (const [index, { file, source }] of PLANTED.entries()) {
    const path = join(layout, folderOf(index), file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, source);
  }
  found = await lint(layout);
}, 60_000);

afterAll(() => rm(layout, { recursive: true, force: true }));

test.each(PLANTED.map((planted, index) => ({ ...planted, index, verdict: planted.rule ?? 'nothing' })))(
  '$file: $source -> $verdict',
  ({ index, rule }) => {
    expect(found.get(folderOf(index)) ?? []).toEqual(rule === null ? [] : expect.arrayContaining([rule]));
  },
);

/** The rules of `src/…` apply to `case-7/src/…`. */
const belowEachFolder = (config: string): string => {
  const parsed = JSON.parse(config) as { overrides: { files: string[] }[] };
  const overrides = parsed.overrides.map((override) => ({
    ...override,
    files: override.files.map((pattern) => `case-*/${pattern}`),
  }));
  return JSON.stringify({ ...parsed, overrides });
};

async function lint(folder: string): Promise<Map<string, string[]>> {
  const output = await new Promise<string>((done) => {
    const args = ['--type-aware', '--format=json', '.'];
    execFile(resolve('node_modules/.bin/oxlint'), args, { cwd: folder, maxBuffer: 1 << 26 }, (_, stdout) =>
      done(stdout),
    );
  });
  const { diagnostics } = JSON.parse(output) as { diagnostics: { filename: string; code: string }[] };
  const rules = new Map<string, string[]>();
  for (const { filename, code } of diagnostics) {
    const [folderName = ''] = filename.split('/');
    rules.set(folderName, [...(rules.get(folderName) ?? []), code]);
  }
  return rules;
}
