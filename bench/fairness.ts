import type { Bed } from './bed.ts';
import { leadOf } from './due-together.ts';
import { billAsleep, type Billed, billGroups, prepareGroups } from './groups.ts';
import type { BenchOptions } from './options.ts';
import { type Finding, whole } from './report.ts';

const FEW = 10;
/** The crowd is this many times the groups asked for. */
const CROWD = 2;

/** When a tenant with few groups is served that are due at the same instant as the crowd of another. */
export async function measureFairness(bed: Bed, options: BenchOptions): Promise<Finding[]> {
  const crowd = options.groups * CROWD;
  // The crowd was there first: its workflows began, and fell asleep, before those of the few.
  const prepared = await prepareGroups(bed, [
    { groups: crowd, subscriptions: 1 },
    { groups: FEW, subscriptions: 1 },
  ]);
  const rows: string[][] = [];
  for (const fairness of [true, false]) {
    const host = await bed.layOnPostgres({ fairness });
    try {
      const late = await billGroups(bed, host, prepared, { asleep: false });
      const leadMs = leadOf({ ...options, groups: crowd + FEW }, late);
      const asleep = await billAsleep(bed, host, prepared, leadMs);
      const server = fairness ? 'with fairness' : 'without';
      rows.push([`${server}, began late`, ...served(late)], [`${server}, asleep`, ...served(asleep)]);
    } finally {
      await host.stop();
    }
  }
  return [
    {
      title: `A tenant with ${FEW} groups beside one with ${whole(crowd)}, all due at the same instant, one worker: when the few were billed`,
      columns: ['server and workflows', 'first', 'half', 'last', 'all of both', 'last in %'],
      rows,
    },
  ];
}

/** Seconds from the instant; and when the last of the few was done, as a share of the time for all. */
function served({ latencies }: Billed): string[] {
  const [crowd, few] = latencies as readonly [readonly number[], readonly number[]];
  const all = Math.max(crowd.at(-1) ?? 0, few.at(-1) ?? 0);
  const seconds = (ms = 0) => `${(ms / 1000).toFixed(1)} s`;
  const half = few[Math.floor(few.length / 2)];
  return [
    seconds(few[0]),
    seconds(half),
    seconds(few.at(-1)),
    seconds(all),
    `${Math.round((100 * (few.at(-1) ?? 0)) / all)} %`,
  ];
}
