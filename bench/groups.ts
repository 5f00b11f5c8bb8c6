import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { WORKFLOW_CODE } from '../src/workflow-code.ts';
import type { Bed, TemporalHost } from './bed.ts';
import { withBundle } from './bundle.ts';
import { startChild } from './child.ts';
import { type Cycle, cycleOf, untilAsleep, untilDone, withLead } from './cycle.ts';
import { endAll, readHistories } from './histories.ts';
import { openMeter } from './meter.ts';
import { BOUNDARY, MADE_AT, makeGroups, watchGroups } from './tenants.ts';
import type { WorkerJob } from './worker-process.ts';

const PROCESS = new URL('worker-process.ts', import.meta.url);
const WITHIN_MS = 20 * 60_000;

/** Work for one tenant after the other, each with so many groups of so many subscriptions. */
export type Shape = readonly { readonly groups: number; readonly subscriptions: number }[];

/** A database in which groups wait for the boundary, to be copied for each measurement. */
export interface Prepared {
  readonly ownerUrl: string;
  readonly tenantIds: readonly string[];
}

/** Makes the tenants once; they live a day before the boundary. */
export async function prepareGroups(bed: Bed, shape: Shape): Promise<Prepared> {
  const shiftMs = MADE_AT - Date.now();
  const ground = await bed.open({ clock: { now: () => new Date(Date.now() + shiftMs).toISOString() } });
  const tenantIds: string[] = [];
  for (const part of shape) {
    const tenantId = tenantIds.length === 0 ? ground.tenantId : await ground.addTenant();
    await makeGroups(ground.database, tenantId, part);
    tenantIds.push(tenantId);
  }
  const { ownerUrl } = ground.database;
  await ground.close();
  await countTables(ownerUrl);
  return { ownerUrl, tenantIds };
}

/** What autovacuum has done in the day that the tenants live before the boundary. */
async function countTables(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  await client.query('vacuum (analyze)');
  await client.end();
}

/** How the groups come to the boundary: asleep until it, or found by a worker that starts after it. */
export type Arrival = { readonly asleep: true; readonly leadMs: number } | { readonly asleep: false };

/** What a measurement of groups found, with the milliseconds from the boundary to each invoice, by tenant. */
export interface Billed extends Cycle {
  readonly latencies: readonly (readonly number[])[];
}

/** One worker bills all groups of a copy of the database, all due at the same instant of real time. */
export function billGroups(bed: Bed, host: TemporalHost, prepared: Prepared, arrival: Arrival): Promise<Billed> {
  return withBundle(WORKFLOW_CODE, async (codePath) => {
    const ownerUrl = await bed.copy(prepared.ownerUrl);
    const wakesAt = arrival.asleep ? Date.now() + arrival.leadMs : Date.now();
    const shiftMs = BOUNDARY.at - wakesAt;
    const job: WorkerJob = { ownerUrl, address: host.address, taskQueue: `groups-${randomUUID()}`, shiftMs, codePath };
    const watch = await watchGroups(ownerUrl);
    const workflowIds = await watch.workflowIds();
    const worker = await startChild(PROCESS, job);
    const meter = await openMeter({ worker, temporal: host, ownerUrl });
    const { client } = host;
    try {
      const began = Date.now();
      const asleep = arrival.asleep
        ? await untilAsleep({ client, meter, workflowIds, wakesAt })
        : { events: 0, bytes: 0, transitions: 0, waiting: 0 };
      const before = await meter.read();
      await untilDone(watch.issued, workflowIds.length, Math.max(0, wakesAt - Date.now()) + WITHIN_MS);
      await meter.quiet();
      const after = await meter.read();
      const histories = { before: asleep, after: await readHistories(client, workflowIds) };
      await watch.assertBilled();
      // What was due before the worker began is timed from its beginning.
      const since = BOUNDARY.at + (arrival.asleep ? 0 : began - wakesAt);
      const issued = await Promise.all(prepared.tenantIds.map((tenantId) => watch.issuedAt(tenantId)));
      const latencies = issued.map((instants) => instants.map((instant) => instant - since));
      const ms = Math.max(...latencies.map((ordered) => ordered.at(-1) ?? 0));
      return { ...cycleOf({ before, after, histories }, workflowIds.length, ms), latencies };
    } finally {
      await endAll(client, workflowIds);
      await meter.close();
      await watch.close();
      await worker.stop();
    }
  });
}

/** Groups that sleep in the worker's cache until the boundary. */
export const billAsleep = (bed: Bed, host: TemporalHost, prepared: Prepared, leadMs: number): Promise<Billed> =>
  withLead(leadMs, (lead) => billGroups(bed, host, prepared, { asleep: true, leadMs: lead }));
