import { CLOCK_END, CLOCK_START } from './cast.ts';
import type { Api } from './client.ts';
import { expectThat } from './checks.ts';
import { dim, print } from './layout.ts';
import { type Progress, showProgress } from './progress.ts';
import type { World } from './set-up.ts';
import type { Run, TestClock } from './shapes.ts';

/** Something that happens on a day of the year: what it is, for the reader, and what is asked of the API. */
interface Event {
  readonly at: string;
  readonly story: string;
  act(world: World): Promise<void>;
}

const POLL_MS = 200;

const EVENTS: readonly Event[] = [
  {
    at: '2026-05-14T16:00:00.000Z',
    story: 'Fjord Outdoor cancels its 12 seats at once: 18 of 31 days come back in June.',
    act: async ({ api, subscriptions }) => {
      await api.post(`/subscriptions/${subscriptions.get('fjord')?.id}/cancel`, { effective: 'NOW' });
    },
  },
  {
    at: '2026-05-14T16:00:00.000Z',
    story: 'Sage Studio buys 25 security keys: billed at once, on an invoice of their own.',
    act: async ({ api }) => {
      const keys = { customerId: 'externalId:sage', description: 'Security keys', quantity: '25', unitAmount: '24.90' };
      await api.post('/charges', { ...keys, currency: 'USD', timing: 'IMMEDIATE' });
    },
  },
  {
    at: '2026-05-14T16:00:00.000Z',
    story: 'Pine Dental gets 75 dollars off its next invoice for an outage: a negative charge.',
    act: async ({ api }) => {
      const goodwill = { customerId: 'externalId:pine', description: 'Goodwill, outage of 9 May', amount: '-75.00' };
      await api.post('/charges', { ...goodwill, currency: 'USD' });
    },
  },
  {
    at: '2026-08-25T03:00:00.000Z',
    story: 'The Japanese entity is suspended: nothing is issued in its name until further notice.',
    act: async ({ api, entities }) => {
      await api.post(`/billing-entities/${entities.get('JP')?.id}/suspend`);
    },
  },
  {
    at: '2026-10-05T03:00:00.000Z',
    story: 'It is reactivated: the boundaries that waited are billed, oldest first.',
    act: async ({ api, entities }) => {
      const waiting = await api.all<Run>(`/runs?status=WAITING&billingEntityId=${entities.get('JP')?.id}`);
      expectThat('three runs of the suspended entity wait', waiting.length === 3, `found ${waiting.length}`);
      expectThat(
        'they say why they wait',
        waiting.every(({ reason }) => reason === 'ENTITY_SUSPENDED'),
        `reasons: ${waiting.map(({ reason }) => reason).join(', ')}`,
      );
      await api.post(`/billing-entities/${entities.get('JP')?.id}/reactivate`);
    },
  },
];

/** Moves the clock from event to event to the end of the year. */
export async function playYear(world: World, signal: AbortSignal): Promise<void> {
  const progress = showProgress(CLOCK_START, CLOCK_END);
  const stops = [...new Set([...EVENTS.map(({ at }) => at), CLOCK_END])];
  try {
    for (const stop of stops) {
      await advance(world, stop, progress, signal);
      for (const { at, story, act } of EVENTS.filter((event) => event.at === stop)) {
        await act(world);
        progress.note(`  ${dim(at.slice(0, 10))}  ${story}`);
      }
    }
  } finally {
    progress.stop();
  }
  print(`  ${dim(CLOCK_END.slice(0, 10))}  The year is over.`);
}

async function advance({ api, clockId }: World, to: string, progress: Progress, signal: AbortSignal): Promise<void> {
  await api.post(`/test-clocks/${clockId}/advance`, { to });
  for (;;) {
    const clock = await api.get<TestClock>(`/test-clocks/${clockId}`);
    progress.at(clock.now, await invoiceCount(api));
    if (clock.status === 'FAILED') throw new Error(`The clock stopped at ${clock.now}: ${clock.error}`);
    if (clock.status === 'READY') return;
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const invoiceCount = async (api: Api): Promise<number> =>
  (await api.get<{ totalItems: number }>('/invoices?size=1')).totalItems;
