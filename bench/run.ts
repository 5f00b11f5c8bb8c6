import { availableParallelism } from 'node:os';
import { print } from '../demo/layout.ts';
import { measureApi } from './api-writes.ts';
import { type Bed, layBed } from './bed.ts';
import { measureHistory } from './history.ts';
import { draw, type Finding } from './report.ts';
import { measureStatements } from './statements.ts';
import { measureIssues, measureRuns } from './throughput.ts';

const MEASURES: Readonly<Record<string, (bed: Bed) => Promise<Finding>>> = {
  statements: measureStatements,
  history: measureHistory,
  runs: measureRuns,
  issues: measureIssues,
  api: measureApi,
};

/**
 * `npm run bench`: what a run costs, in counts and ratios, which hold on other machines, and in seconds, which do not.
 * `npm run bench -- history runs` measures these alone.
 */
async function main(asked: readonly string[]): Promise<void> {
  const unknown = asked.find((name) => !Object.hasOwn(MEASURES, name));
  if (unknown !== undefined) {
    throw new Error(`There is no measurement '${unknown}'. There are ${Object.keys(MEASURES).join(', ')}.`);
  }
  print(`Tributary: what a billing run costs. Node ${process.versions.node}, ${availableParallelism()} cores.`);
  const bed = await layBed();
  try {
    for (const [name, measure] of Object.entries(MEASURES)) {
      if (asked.length === 0 || asked.includes(name)) print(draw(await measure(bed)));
    }
  } finally {
    await bed.stop();
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
