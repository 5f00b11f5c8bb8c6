import { once } from 'node:events';
import { CLOCK_END } from './cast.ts';
import { Unmet } from './checks.ts';
import { checkWallet, checkYear } from './expectations.ts';
import { invoiceSheet } from './invoice-sheet.ts';
import { bold, dim, green, heading, print, red } from './layout.ts';
import {
  showBoundaries,
  showCustomers,
  showEntities,
  showInvoices,
  showNumbering,
  showWallet,
  showWhereToLook,
} from './report.ts';
import { type DemoServer, findServer } from './server.ts';
import { setUp, type World } from './set-up.ts';
import type { Group, Invoice, Wallet } from './shapes.ts';
import { playYear } from './year.ts';

/**
 * `npm run demo`: a year of billing on a test clock, through the public API alone. It exits with 1 when anything is not as
 * it must be.
 */
async function main(signal: AbortSignal): Promise<void> {
  print(bold('Tributary: a year of billing, three legal entities, one command'));
  const server = await findServer(signal);
  try {
    const startedAt = performance.now();
    const world = await setUp(server);
    showEntities(world);
    await showCustomers(world, ['cascade', 'puget', 'aurelia', 'koyo', 'sakura']);

    print(heading('The year goes by'));
    await playYear(world, signal);
    const seconds = (performance.now() - startedAt) / 1000;
    const invoices = await readInvoices(world);
    await report(server, world, invoices);
    const done = `${invoices.length} invoices, ${invoices.flatMap(({ lines }) => lines).length} lines`;
    print(`${green('✓')} ${bold(done)} in ${seconds.toFixed(1)} s; every total adds up from its lines.`);
    if (server.stop !== null) await stayForPeople(server.url, signal);
  } finally {
    await server.stop?.();
  }
}

/** With their lines, in the order of issue. */
async function readInvoices({ api }: World): Promise<Invoice[]> {
  const invoices = await api.all<Invoice>('/invoices?include=lines');
  return invoices.toSorted(
    (a, b) => Date.parse(a.issuedAt) - Date.parse(b.issuedAt) || a.number.localeCompare(b.number),
  );
}

async function report(server: DemoServer, world: World, invoices: readonly Invoice[]): Promise<void> {
  const wallet = await world.api.get<Wallet>('/customers/externalId:cascade/wallet');
  checkYear(invoices);
  checkWallet(wallet, invoices);

  const groups = await world.api.all<Group>('/billing-groups');
  const entities = [...world.entities.values()];
  const invoicesOf = ({ id }: { id: string }) => invoices.filter(({ billingEntity }) => billingEntity.id === id);
  for (const entity of entities) showInvoices(entity, invoicesOf(entity));
  const june = invoices.find(
    ({ payer, boundaryAt }) => payer.name === 'Cascade LLC' && boundaryAt?.startsWith('2026-06-01'),
  );
  if (june !== undefined) print(`${heading(`One of them in full: ${june.number}`)}\n${invoiceSheet(june)}`);
  showWallet(wallet, CLOCK_END);
  showNumbering(entities, invoicesOf);
  showBoundaries(groups, invoices);
  showWhereToLook(server, world, groups);
}

/** The demo's own server stays up on a terminal, for whoever wants to look around. */
async function stayForPeople(url: string, signal: AbortSignal): Promise<void> {
  if (!process.stdout.isTTY) {
    print(dim('Its server stops now; npm start brings it back with all of this in it.'));
    return;
  }
  print(dim(`The server stays at ${url} until Ctrl-C.`));
  if (!signal.aborted) await once(signal, 'abort');
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.abort());

try {
  await main(interruption.signal);
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  if (interruption.signal.aborted) print(dim('Stopped.'));
  else print(`${red('✗')} ${error instanceof Unmet ? reason : `The demo could not go on: ${reason}`}`);
  process.exitCode = 1;
}
