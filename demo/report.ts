import { sum, toAmount } from '../src/domain/money.ts';
import { provenStreams } from './checks.ts';
import {
  bold,
  dim,
  green,
  grouped,
  heading,
  money,
  print,
  table,
  unlessZero,
  wrapped,
  WIDTH,
  yellow,
} from './layout.ts';
import type { World } from './set-up.ts';
import type { Entity, Group, Invoice, TreeNode, Wallet } from './shapes.ts';

/** The legal entities, before the year begins. */
export function showEntities({ entities }: World): void {
  print(heading('Three legal entities'));
  const rows = [...entities.values()].map(
    ({ entityCode, legalName, baseCurrency, billingTimezone, invoiceNumberFormat, numberReset }) => [
      entityCode,
      legalName,
      baseCurrency,
      billingTimezone,
      invoiceNumberFormat,
      numberReset.toLowerCase(),
    ],
  );
  print(
    table(
      ['Code', 'Legal name', 'Base', 'Timezone', 'Number format', 'Restarts'].map((head) => ({ head })),
      rows,
    ),
  );
}

/** The trees of customers, each under the account that pays. */
export async function showCustomers({ api }: World, roots: readonly string[]): Promise<void> {
  print(heading('Who is billed, and who pays'));
  for (const root of roots) {
    const { tree } = await api.get<{ tree: TreeNode }>(`/customers/externalId:${root}/hierarchy`);
    print([bold(tree.name), ...branches(tree.children, '')].join('\n'));
  }
  print(`${bold('Ostwind AG')} ${dim('pays for')} Lumen Lab ${dim('which is no child of it: a delegated payer')}`);
}

function branches(children: readonly TreeNode[], indent: string): string[] {
  return children.flatMap((child, index) => {
    const isLast = index === children.length - 1;
    return [
      `${dim(`${indent}${isLast ? '└─ ' : '├─ '}`)}${child.name}`,
      ...branches(child.children, `${indent}${isLast ? '   ' : '│  '}`),
    ];
  });
}

/** Every invoice of one entity, in the order of issue. */
export function showInvoices(entity: Entity, invoices: readonly Invoice[]): void {
  print(heading(`${entity.legalName}: ${invoices.length} invoices`));
  const rows = invoices.map((invoice) => [
    invoice.number,
    invoice.issueDateText,
    invoice.payer.name,
    String(invoice.lines.length),
    grouped(invoice.subtotal),
    unlessZero(invoice.discountTotal),
    taxShown(invoice),
    unlessZero(invoice.creditsApplied),
    money(invoice.amountDue, invoice.currency),
  ]);
  const currency = invoices[0]?.currency ?? entity.baseCurrency;
  const total = (pick: (invoice: Invoice) => string): string => toAmount(sum(invoices.map(pick)), currency);
  const totals = [
    bold('Together'),
    '',
    '',
    String(invoices.flatMap(({ lines }) => lines).length),
    grouped(total(({ subtotal }) => subtotal)),
    unlessZero(total(({ discountTotal }) => discountTotal)),
    unlessZero(total(({ taxTotal }) => taxTotal)),
    unlessZero(total(({ creditsApplied }) => creditsApplied)),
    money(
      total(({ amountDue }) => amountDue),
      currency,
    ),
  ];
  const right = (head: string) => ({ head, align: 'right' as const });
  const columns = [
    ...['Number', 'Issued', 'Payer'].map((head) => ({ head })),
    ...['Lines', 'Subtotal', 'Disc.', 'Tax', 'Credits', 'Due'].map(right),
  ];
  print(table(columns, [...rows, totals], { totals: true, gap: 1 }));
}

/** The tax, or why there is none. */
const taxShown = ({ taxTotal, taxes }: Invoice): string =>
  taxes.some(({ reason }) => reason === 'EXEMPT') ? 'exempt' : unlessZero(taxTotal);

/** That numbers run from 1 to n in each stream. Throws when they do not. */
export function showNumbering(entities: readonly Entity[], invoicesOf: (entity: Entity) => readonly Invoice[]): void {
  print(heading('Proof of numbering'));
  const rows = entities.flatMap((entity) =>
    provenStreams(invoicesOf(entity), entity.numberReset).map(({ name, first, last, count }) => [
      entity.entityCode,
      name === '' ? 'all years' : name,
      first,
      last,
      String(count),
      green('1 to n, no gap, no repeat'),
    ]),
  );
  const heads = ['Entity', 'Stream', 'First', 'Last'].map((head) => ({ head }));
  print(table([...heads, { head: 'Count', align: 'right' }, { head: 'Proved' }], rows));
}

/** Each group with the boundaries that it was billed at, in its own zone. */
export function showBoundaries(groups: readonly Group[], invoices: readonly Invoice[]): void {
  print(heading('Boundaries of each billing group'));
  print(dim('Local midnights all: the offset moves with daylight saving, the date and the hour do not.'));
  for (const { id, name, timezone, anchorDate, cadence } of groups) {
    const own = invoices.filter(({ billingGroupId, boundaryAt }) => billingGroupId === id && boundaryAt !== null);
    const payer = own[0]?.payer.name ?? '';
    const every = `every ${cadence.count === 1 ? '' : `${cadence.count} `}${cadence.interval.toLowerCase()}`;
    const title = name === null ? payer : `${payer} · ${name}`;
    print(`${bold(title)}  ${dim(`${every} from ${anchorDate}, ${timezone}`)}`);
    print(wrapped(own.map(boundary), '  '));
  }
}

/** `02-28 +01:00`, and when it was issued late, when. */
function boundary({ boundaryAt, issueDate }: Invoice): string {
  const date = boundaryAt?.slice(0, 10) ?? '';
  const shown = `${date.slice(5)} ${boundaryAt?.slice(23)}`;
  return issueDate === date ? shown : `${shown} (issued ${issueDate.slice(5)})`;
}

/** What became of the payer's credits. */
export function showWallet({ grants }: Wallet, now: string): void {
  print(heading("Cascade's credits"));
  const rows = grants
    .toSorted((a, b) => a.priority - b.priority)
    .map(({ kind, amount, remaining, currency, priority, expiresAt }) => {
      const isLost = expiresAt !== null && expiresAt <= now;
      return [
        kind,
        String(priority),
        expiresAt?.slice(0, 10) ?? 'never',
        money(amount, currency),
        money(toAmount(sum([amount, `-${remaining}`]), currency), currency),
        isLost ? yellow(money(remaining, currency)) : '',
        isLost ? '' : money(remaining, currency),
      ];
    });
  const right = ['Granted', 'Spent', 'Lost', 'Left'].map((head) => ({ head, align: 'right' as const }));
  print(table([{ head: 'Kind' }, { head: 'Priority' }, { head: 'Expires' }, ...right], rows));
}

/** Where a person goes on from here. */
export function showWhereToLook(server: { url: string }, { tenant }: World, groups: readonly Group[]): void {
  print(heading('Where to look'));
  const temporal = groups.find(({ temporalUrl }) => temporalUrl !== null)?.temporalUrl ?? null;
  const rows = [
    ['API and its pages', `${server.url}/docs`],
    ['Invoices', `curl -H "Authorization: Bearer $KEY" ${server.url}/api/v1/invoices`],
    ['KEY of this tenant', tenant.apiKey],
    ['Temporal UI', temporal === null ? 'its address is not known: set TEMPORAL_UI_URL' : new URL(temporal).origin],
    ['A group in it', groups[0]?.workflowId ?? ''],
  ];
  print(rows.map(([label, value]) => `${label?.padEnd(20)}${value}`).join('\n'));
  print(dim('─'.repeat(WIDTH)));
}
