import type { Client } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { type Histories, readHistories } from './histories.ts';
import { between, type Meter, ownCpu, type Reading } from './meter.ts';

/** What one of many did, and used, from the instant at which all were due until all rest again. */
export interface Cycle {
  readonly count: number;
  /** A second, from the instant at which all were due to the end of the last. */
  readonly rate: number;
  readonly events: number;
  readonly bytes: number;
  readonly transitions: number;
  /** CPU in milliseconds. */
  readonly cpu: number;
  readonly used: Reading;
  /** The share of the machine's busy time that was not ours, nor the bench's: 0 is a machine of our own. */
  readonly disturbance: number;
}

/** Readings of one measurement, before and after. */
export interface Span {
  readonly before: Reading;
  readonly after: Reading;
  readonly histories: { readonly before: Histories; readonly after: Histories };
}

/** Divides a span by those who shared it. */
export function cycleOf({ before, after, histories }: Span, count: number, ms: number): Cycle {
  const whole = between(before, after);
  const each = (value: number) => value / count;
  const used = Object.fromEntries(Object.entries(whole).map(([name, value]) => [name, each(value)]));
  return {
    count,
    rate: count / (ms / 1000),
    events: each(histories.after.events - histories.before.events),
    bytes: each(histories.after.bytes - histories.before.bytes),
    transitions: each(histories.after.transitions - histories.before.transitions),
    cpu: each(ownCpu(whole)),
    used: used as unknown as Reading,
    disturbance: 1 - ownCpu(whole) / whole.machine,
  };
}

/** Workflows begin this long, and what their beginning takes, before the instant: what that leaves behind is done by then. */
export const START_MS = 30_000;

/** The last reading before the instant is taken this long before it. */
const READ_MS = 500;

/**
 * Waits until every workflow sleeps and the worker rests; returns a moment before the instant at which they wake.
 *
 * @throws when the instant comes first.
 */
export async function untilAsleep(on: {
  client: Client;
  meter: Meter;
  workflowIds: readonly string[];
  wakesAt: number;
}): Promise<Histories> {
  for (;;) {
    await on.meter.quiet();
    const histories = await readHistories(on.client, on.workflowIds);
    const left = on.wakesAt - Date.now();
    if (left < READ_MS) {
      const { waiting } = histories;
      throw new TooLate(`It was time before all slept (${waiting} of ${on.workflowIds.length} do now): see --lead=.`);
    }
    if (histories.waiting < on.workflowIds.length) continue;
    await delay(left - READ_MS);
    return histories;
  }
}

/** The workflows had too little time to fall asleep. */
class TooLate extends Error {
  override readonly name = 'TooLate';
}

const ATTEMPTS = 4;

/** A machine may be slower than was thought: what came too late is done anew with twice the time. */
export async function withLead<T>(leadMs: number, measure: (leadMs: number) => Promise<T>, attempt = 1): Promise<T> {
  try {
    return await measure(leadMs);
  } catch (error) {
    if (!(error instanceof TooLate) || attempt === ATTEMPTS) throw error;
    return withLead(leadMs * 2, measure, attempt + 1);
  }
}

/** Waits until that many are done, asking seldom enough to disturb nobody. */
export async function untilDone(count: () => Promise<number>, wanted: number, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const done = await count();
    if (done >= wanted) return;
    if (Date.now() > deadline) throw new Error(`${done} of ${wanted} were done in ${withinMs / 1000} s.`);
    await delay(200);
  }
}
