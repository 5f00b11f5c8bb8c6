import type { WorkflowHandle } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { GroupView } from '../src/workflows/contract.ts';
import type { Bed } from './bed.ts';
import { cpuMs, parentOf } from './processes.ts';

/** The group is told so long before its boundary how late it is. */
const LEAD_MS = 3_000;
/** The last reading before the boundary is taken this long before it. */
const READ_MS = 200;
const REST_MS = 1_000;
const WITHIN_MS = 120_000;
/** From its invoice on, a group sleeps again in a tenth of this. */
const TO_SLEEP_MS = 250;

/** CPU in milliseconds, by process. */
export interface Cpu {
  readonly node: number;
  readonly postgres: number;
  readonly temporal: number;
}

/** The same by its workflow, in real time, with all that is used above what rest costs. */
export interface Worked extends Cpu {
  /** From the instant at which it was due until its invoice is there for others to see. */
  readonly ms: number;
}

/** A clock that is set, and from there runs on. */
export function startClock() {
  let shift = 0;
  return {
    now: () => new Date(Date.now() + shift).toISOString(),
    set: (instant: string) => {
      shift = Date.parse(instant) - Date.now();
    },
  };
}

type Settable = ReturnType<typeof startClock>;

/** How many invoices a boundary has: asked as the superuser, by one statement, so that to watch costs little. */
const issuedAt = async (watch: pg.Client, at: string): Promise<number> =>
  (await watch.query(`select 1 from invoices where boundary_at = $1 and status = 'OPEN'`, [at])).rows.length;

export async function assertIssued(watch: pg.Client, at: string): Promise<void> {
  const invoices = await issuedAt(watch, at);
  if (invoices !== 1) throw new Error(`${invoices} invoices were issued for the boundary ${at}.`);
}

/** Lets a group wake at its boundary; ends when it sleeps again. */
export async function workBoundary(
  { bed, watch, clock, handle }: { bed: Bed; watch: pg.Client; clock: Settable; handle: WorkflowHandle },
  at: string,
): Promise<Worked> {
  const dueAt = Date.now() + LEAD_MS;
  clock.set(new Date(Date.parse(at) - LEAD_MS).toISOString());
  await untilAsleep(handle, at);
  const postmaster = await postmasterOf(watch);
  const read = () => ({ postgres: cpuMs(postmaster), temporal: cpuMs(bed.onSqlite.pid), node: process.cpuUsage() });
  const since = ({ postgres, temporal, node }: ReturnType<typeof read>): Cpu => {
    const { user, system } = process.cpuUsage(node);
    return {
      node: (user + system) / 1000,
      postgres: cpuMs(postmaster) - postgres,
      temporal: cpuMs(bed.onSqlite.pid) - temporal,
    };
  };
  // What is asked below all the while is asked here as well, with nothing to do.
  const resting = read();
  const restedFrom = Date.now();
  await watchUntil(watch, at, restedFrom + REST_MS);
  const rest = since(resting);
  const restMs = Date.now() - restedFrom;

  await delay(dueAt - READ_MS - Date.now());
  const begun = read();
  const from = Date.now();
  const issuedAfter = (await watchUntil(watch, at, dueAt + WITHIN_MS, 'ISSUED')) - dueAt;
  // Not by asking the workflow: a query of its state costs a tenth of what is measured.
  await watchUntil(watch, at, Date.now() + TO_SLEEP_MS);
  const used = since(begun);
  const share = (Date.now() - from) / restMs;
  await assertAsleep(handle, at);
  return {
    ms: issuedAfter,
    node: used.node - share * rest.node,
    postgres: used.postgres - share * rest.postgres,
    temporal: used.temporal - share * rest.temporal,
  };
}

/** Asks for a boundary's invoices until an instant, or until there is one; returns when that was. */
async function watchUntil(watch: pg.Client, at: string, end: number, until?: 'ISSUED'): Promise<number> {
  while (Date.now() < end) {
    if ((await issuedAt(watch, at)) > 0 && until === 'ISSUED') return Date.now();
    await delay(20);
  }
  if (until === 'ISSUED') throw new Error(`The boundary ${at} was not billed.`);
  return Date.now();
}

async function assertAsleep(handle: WorkflowHandle, after: string): Promise<void> {
  const { waitingFor, nextBillingAt } = await handle.query<GroupView>('state');
  if (!waitingFor.startsWith('sleeping until') || Date.parse(nextBillingAt ?? after) <= Date.parse(after)) {
    throw new Error(`The group was not asleep again ${TO_SLEEP_MS} ms after its invoice: ${waitingFor}.`);
  }
}

/** Until the workflow sleeps until an instant, by the clock that was set. */
async function untilAsleep(handle: WorkflowHandle, until: string): Promise<void> {
  await handle.signal('refresh').catch(() => undefined);
  for (const deadline = Date.now() + LEAD_MS + WITHIN_MS; Date.now() < deadline;) {
    const view = await handle.query<GroupView>('state').catch(() => null);
    const isAsleep = view?.waitingFor.startsWith('sleeping until') ?? false;
    if (isAsleep && Date.parse(view?.nextBillingAt ?? '') === Date.parse(until)) return;
    await delay(50);
  }
  throw new Error('The group does not fall asleep.');
}

async function postmasterOf(watch: pg.Client): Promise<number> {
  const { rows } = await watch.query<{ pid: number }>('select pg_backend_pid() as pid');
  return parentOf(rows[0]?.pid ?? 0);
}
