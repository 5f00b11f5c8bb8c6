import { availableParallelism, cpus } from 'node:os';
import { print } from '../demo/layout.ts';
import { TEMPORAL_VERSION } from '../src/runtime/obtain-temporal.ts';
import { measureApiLoad } from './api-load.ts';
import { measureApi } from './api-writes.ts';
import { type Bed, layBed } from './bed.ts';
import { measureGroups } from './due-together.ts';
import { measureFairness } from './fairness.ts';
import { measureHistory } from './history.ts';
import { keepFindings } from './keep.ts';
import { SERVER_VERSION } from './obtain-temporal-server.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { draw, type Finding } from './report.ts';
import { measureConsolidated } from './consolidated.ts';
import { measureSleepers } from './sleepers.ts';
import { measureRecovery } from './sleepers-recovery.ts';
import { measureIssues, measureRuns } from './throughput.ts';

type Measure = (bed: Bed, options: BenchOptions) => Promise<Finding | Finding[]>;

const MEASURES: Readonly<Record<string, Measure>> = {
  consolidated: measureConsolidated,
  history: measureHistory,
  runs: measureRuns,
  issues: measureIssues,
  writes: measureApi,
  groups: measureGroups,
  fairness: measureFairness,
  sleeping: measureSleepers,
  recovery: measureRecovery,
  load: () => measureApiLoad(),
};

/** Writes a million invoices first, which takes minutes and 12 GB: only when it is asked for. */
const ON_REQUEST = ['load'];

/** What all figures hold for. */
const facts = (): string =>
  `${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}) for everything, ` +
  `Node ${process.versions.node}, Temporal ${SERVER_VERSION} (command line ${TEMPORAL_VERSION}).`;

/**
 * `npm run bench`: what a run costs, in counts and ratios, which hold on other machines, and in seconds, which do not.
 * `npm run bench -- history runs` measures these alone; `--keep` writes the tables to docs/performance; `--groups=100`,
 * `--on=sqlite|postgres`, `--rounds=1` and `--lead=<seconds>` are for the measurements of many groups.
 */
async function main(options: BenchOptions): Promise<void> {
  const { asked, keep } = options;
  const unknown = asked.find((name) => !Object.hasOwn(MEASURES, name));
  if (unknown !== undefined) {
    throw new Error(`There is no measurement '${unknown}'. There are ${Object.keys(MEASURES).join(', ')}.`);
  }
  print(`Tributary: what a billing run costs. ${facts()}`);
  const bed = await layBed();
  try {
    for (const [name, measure] of Object.entries(MEASURES)) {
      if (asked.length > 0 ? !asked.includes(name) : ON_REQUEST.includes(name)) continue;
      const findings = [await measure(bed, options)].flat();
      for (const finding of findings) print(draw(finding));
      if (keep) await keepFindings(name, findings, facts());
    }
  } finally {
    await bed.stop();
  }
}

try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
