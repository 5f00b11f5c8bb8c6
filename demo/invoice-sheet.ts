import { bold, dim, grouped, money, table, unlessZero } from './layout.ts';
import type { Account, Address, Invoice, Line } from './shapes.ts';

/** One invoice in full, as its payer reads it: parties, lines by account, taxes, totals. */
export function invoiceSheet(invoice: Invoice): string {
  return [
    parties(invoice),
    '',
    lineTable(invoice),
    '',
    taxTable(invoice),
    '',
    totals(invoice),
    ...footer(invoice),
  ].join('\n');
}

function parties({
  number,
  billingEntity: from,
  payer,
  issueDateText,
  dueDate,
  boundaryAt,
  timezone,
}: Invoice): string {
  const left = [bold(from.legalName), ...addressLines(from.address), from.taxRegistrationNumber ?? ''];
  const right = [bold(payer.name), ...addressLines(payer.address)];
  const facts = [
    `Number   ${bold(number)}`,
    `Issued   ${issueDateText}`,
    `Due      ${dueDate}`,
    `Billed   ${boundaryAt?.slice(0, 16).replace('T', ' ') ?? 'at once'} ${timezone}`,
  ];
  const rows = Array.from({ length: Math.max(left.length, right.length, facts.length) }, (_, index) => [
    left[index] ?? '',
    right[index] ?? '',
    facts[index] ?? '',
  ]);
  return table([{ head: 'From' }, { head: 'To' }, { head: 'Invoice' }], rows, { gap: 4 });
}

const addressLines = (address: Address | null): string[] =>
  address === null
    ? []
    : [
        [address.line1, address.line2].filter(isText).join(', '),
        [address.postalCode, address.city, address.region, address.country].filter(isText).join(' '),
      ].filter(isText);

const isText = (part: string | null): part is string => part !== null && part !== '';

function lineTable(invoice: Invoice): string {
  const rows = invoice.accounts.flatMap((account) => [
    [accountHead(account), '', '', '', '', dim(grouped(account.total))],
    ...invoice.lines.filter(({ billedFrom }) => billedFrom.customerId === account.customerId).map(lineRow),
  ]);
  return table(
    [
      { head: 'Account and line' },
      { head: 'Period' },
      { head: 'Quantity', align: 'right' },
      { head: 'Amount', align: 'right' },
      { head: 'Discount', align: 'right' },
      { head: 'With tax', align: 'right' },
    ],
    rows,
  );
}

const accountHead = ({ name, label }: Account): string => `${bold(name)} ${dim(`(${label})`)}`;

function lineRow({
  description,
  periodStart,
  periodEnd,
  quantity,
  unitAmount,
  amount,
  discount,
  total,
}: Line): string[] {
  const period =
    periodStart === null || periodEnd === null ? '' : `${periodStart.slice(5, 10)} to ${periodEnd.slice(5, 10)}`;
  const quantities = quantity === '1' || unitAmount === null ? '' : `${grouped(quantity)} × ${unitAmount}`;
  return [`  ${description}`, period, quantities, grouped(amount), unlessZero(discount), grouped(total)];
}

const taxTable = ({ taxes, currency }: Invoice): string =>
  table(
    [
      { head: 'Tax' },
      { head: 'Per cent', align: 'right' },
      { head: 'Base', align: 'right' },
      { head: 'Amount', align: 'right' },
    ],
    taxes.map(({ name, percent, base, amount, reason }) => [
      reason === null ? name : `${name} (${reason})`,
      `${percent} %`,
      grouped(base),
      money(amount, currency),
    ]),
  );

function totals(invoice: Invoice): string {
  const { currency } = invoice;
  const rows: (readonly [string, string])[] = [
    ['Subtotal', invoice.subtotal],
    ['Discounts', `-${invoice.discountTotal}`],
    ['Tax', invoice.taxTotal],
    ['Total', invoice.total],
    ['Credits', `-${invoice.creditsApplied}`],
    ['Amount due', invoice.amountDue],
  ];
  return table(
    [{ head: 'Totals' }, { head: '', align: 'right' }],
    rows.map(([label, amount]) => [label, money(/[1-9]/.test(amount) ? amount : amount.replace('-', ''), currency)]),
    { totals: true },
  );
}

const footer = ({ billingEntity: { footerText } }: Invoice): string[] =>
  footerText === null ? [] : ['', dim(footerText)];
