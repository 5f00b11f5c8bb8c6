import { decimal, sum } from '../src/domain/money.ts';
import { checkTotals, expectAmount, expectThat, theLine, Unmet } from './checks.ts';
import type { Invoice, Line, Wallet } from './shapes.ts';

/** Issued invoices by payer: so many, worked out by hand from the dates in `cast.ts`. */
const INVOICES_BY_PAYER = new Map([
  ['Cascade LLC', 14],
  ['Puget College', 11],
  ['Aurelia SE', 24],
  ['Ostwind AG', 11],
  ['光洋商事', 13],
  ['さくら書店', 11],
]);

/** 31 January comes back to the 31st wherever there is one; Berlin is two hours ahead from 29 March to 25 October. */
const MONTH_END_BOUNDARIES = [
  '2026-01-31T00:00:00.000+01:00',
  '2026-02-28T00:00:00.000+01:00',
  '2026-03-31T00:00:00.000+02:00',
  '2026-04-30T00:00:00.000+02:00',
  '2026-05-31T00:00:00.000+02:00',
  '2026-06-30T00:00:00.000+02:00',
  '2026-07-31T00:00:00.000+02:00',
  '2026-08-31T00:00:00.000+02:00',
  '2026-09-30T00:00:00.000+02:00',
  '2026-10-31T00:00:00.000+01:00',
  '2026-11-30T00:00:00.000+01:00',
  '2026-12-31T00:00:00.000+01:00',
];

/** Los Angeles: clocks go forward on 8 March and back on 1 November, after that day's midnight. */
const CASCADE_OFFSETS = new Map([
  ['2026-03-01', '-08:00'],
  ['2026-04-01', '-07:00'],
  ['2026-11-01', '-07:00'],
  ['2026-12-01', '-08:00'],
]);

/** Everything that must hold of a year's invoices, whoever issued them. */
export function checkYear(invoices: readonly Invoice[]): void {
  for (const invoice of invoices) checkTotals(invoice);
  const byPayer = Map.groupBy(invoices, ({ payer }) => payer.name);
  for (const [payer, wanted] of INVOICES_BY_PAYER) {
    const count = byPayer.get(payer)?.length ?? 0;
    expectThat(`${payer} got ${wanted} invoices`, count === wanted, `it got ${count}`);
  }
  checkBoundaries(byPayer);
  checkReseller(byPayer.get('Cascade LLC') ?? []);
  checkHolding(byPayer.get('Aurelia SE') ?? []);
  checkTaxes(byPayer);
  checkSuspension(byPayer.get('光洋商事') ?? []);
}

function checkBoundaries(byPayer: ReadonlyMap<string, readonly Invoice[]>): void {
  const monthEnd = (byPayer.get('Aurelia SE') ?? []).filter(({ boundaryAt }) => Number(boundaryAt?.slice(8, 10)) > 15);
  const found = monthEnd.map(({ boundaryAt }) => boundaryAt);
  expectThat(
    'the month-end group kept its dates',
    found.join() === MONTH_END_BOUNDARIES.join(),
    `they are ${found.join(' ')}`,
  );
  for (const [date, offset] of CASCADE_OFFSETS) {
    const holds = (byPayer.get('Cascade LLC') ?? []).some(
      ({ boundaryAt }) => boundaryAt === `${date}T00:00:00.000${offset}`,
    );
    expectThat(`Cascade was billed at midnight of ${date} at UTC${offset}`, holds, 'no invoice has that boundary');
  }
}

function checkReseller(invoices: readonly Invoice[]): void {
  const on = (date: string): Invoice => boundaryOn(invoices, date);
  const from = (invoice: Invoice, account: string) => linesFrom(invoice, account);
  expectThat(
    'the April invoice has every account',
    on('2026-04-01').accounts.length === 12,
    `it has ${on('2026-04-01').accounts.length}`,
  );
  expectThat(
    'the May invoice has them all',
    on('2026-05-01').accounts.length === 13,
    `it has ${on('2026-05-01').accounts.length}`,
  );
  expectAmount(
    '15 February to 1 March of 28 days, 5 seats at 15',
    seats(from(on('2026-03-01'), 'Harbor Café'))[0],
    '37.50',
  );
  expectAmount('13 to 30 April, 10 seats at 15', seats(from(on('2026-05-01'), 'Canyon Tours'))[0], '90.00');
  const credit = theLine(
    from(on('2026-06-01'), 'Fjord Outdoor'),
    'the credit of Fjord',
    ({ kind }) => kind === 'PRORATION_CREDIT',
  );
  expectAmount('18 of 31 days of 180.00, given back', credit.amount, '-104.52');
  const goodwill = theLine(from(on('2026-06-01'), 'Pine Dental'), 'the goodwill', ({ kind }) => kind === 'ONE_TIME');
  expectAmount('the goodwill', goodwill.amount, '-75.00');
  expectAmount('the discount of May', on('2026-05-01').discountTotal, '90.00');
  expectAmount('the discount of July, when no coupon has a cycle left', on('2026-07-01').discountTotal, '0');
  const immediate = invoices.filter(({ kind }) => kind === 'IMMEDIATE');
  expectThat('one invoice was issued at once', immediate.length === 1, `there are ${immediate.length}`);
  expectAmount('its subtotal', immediate[0]?.subtotal ?? '0', '622.50');
  const yearly = invoices.filter(({ lines }) => lines.some(({ priceCode }) => priceCode === 'programme'));
  expectThat(
    'the yearly price was billed in January and in January',
    yearly.length === 2,
    `it was billed ${yearly.length} times`,
  );
}

function checkHolding(invoices: readonly Invoice[]): void {
  const quarterly = invoices.flatMap(({ lines }) => lines.filter(({ priceCode }) => priceCode === 'support'));
  const starts = quarterly.map(({ periodStart }) => periodStart?.slice(5, 10)).join(' ');
  expectThat('the quarters begin where months end', starts === '01-31 04-30 07-31 10-31', `they begin ${starts}`);
  const design = linesFrom(boundaryOn(invoices, '2026-03-31'), 'Aurelia Design');
  expectThat('Design has a stub and a period in March', design.length === 2, `it has ${design.length} lines`);
  expectAmount('10 to 30 March of 31 days, 7 seats at 39.90', design[0]?.amount ?? '0', '189.20');
  expectThat(
    'Design is taxed in Vienna',
    design.every(({ taxPercent }) => decimal(taxPercent).eq(20)),
    `by ${design[0]?.taxPercent}`,
  );
  const cinema = linesFrom(boundaryOn(invoices, '2026-03-31'), 'Aurelia Cinema');
  expectThat(
    'Cinema has no address and is taxed in Hamburg',
    cinema.every(({ taxPercent }) => decimal(taxPercent).eq(19)),
    'it is not',
  );
}

function checkTaxes(byPayer: ReadonlyMap<string, readonly Invoice[]>): void {
  for (const invoice of byPayer.get('Puget College') ?? []) {
    expectAmount(`the tax of ${invoice.number}`, invoice.taxTotal, '0');
    expectThat(
      `${invoice.number} says why`,
      invoice.taxes[0]?.reason === 'EXEMPT',
      `it says ${invoice.taxes[0]?.reason}`,
    );
  }
  for (const { number, lines } of byPayer.get('Ostwind AG') ?? []) {
    const isOwn = lines.every(({ taxPercent }) => decimal(taxPercent).eq(7));
    expectThat(`${number} is taxed by the payer's own rate`, isOwn, `at ${lines[0]?.taxPercent} %`);
  }
  for (const { number, lines } of byPayer.get('光洋商事') ?? []) {
    const isInside = lines.every(
      ({ amount, taxable, tax }) => sum([taxable, tax]).eq(decimal(amount)) && decimal(tax).eq(1000),
    );
    expectThat(`the tax of ${number} is inside its prices`, isInside, 'it is not');
  }
  const july = boundaryOn(byPayer.get('Cascade LLC') ?? [], '2026-07-01');
  const rates = july.taxes.map(({ code, percent }) => `${code} ${percent}`).join(', ');
  expectThat('the rate of July is that of July', rates === 'WA-STATE 6.50, WA-CITY 4.05', `the rates are ${rates}`);
}

function checkSuspension(invoices: readonly Invoice[]): void {
  const late = invoices.filter(({ issueDate }) => issueDate === '2026-10-05');
  const boundaries = late.map(({ boundaryAt }) => boundaryAt?.slice(0, 10)).join(' ');
  expectThat(
    'September and October were issued in order, on the day of the reactivation',
    boundaries === '2026-09-01 2026-10-01',
    `there is ${boundaries}`,
  );
}

/** The promotional grant is spent first, then lost; the paid one is spent to the end. */
export function checkWallet({ grants }: Wallet, invoices: readonly Invoice[]): void {
  for (const grant of grants) {
    const used = sum(
      invoices.flatMap(({ credits }) =>
        credits.filter(({ grantId }) => grantId === grant.id).map(({ amount }) => amount),
      ),
    );
    expectAmount(
      `what was taken of the ${grant.kind} grant`,
      used.toFixed(),
      decimal(grant.amount).minus(grant.remaining).toFixed(),
    );
  }
  const left = new Map(grants.map(({ kind, remaining }) => [kind, remaining]));
  expectThat(
    'part of the promotional grant was lost',
    decimal(left.get('PROMOTIONAL') ?? '0').gt(0),
    'nothing is left of it',
  );
  expectAmount('what is left of the paid grant', left.get('PAID') ?? '', '0');
}

function boundaryOn(invoices: readonly Invoice[], date: string): Invoice {
  const found = invoices.find(({ boundaryAt }) => boundaryAt?.startsWith(date));
  if (found === undefined) throw new Unmet(`Expected an invoice of the boundary ${date}; there is none.`);
  return found;
}

const linesFrom = (invoice: Invoice, account: string): Line[] => {
  const customerId = invoice.accounts.find(({ name }) => name === account)?.customerId;
  return invoice.lines.filter(({ billedFrom }) => billedFrom.customerId === customerId);
};

const seats = (lines: readonly Line[]): [string, ...string[]] => {
  const [first = '', ...rest] = lines.filter(({ priceCode }) => priceCode === 'seat').map(({ amount }) => amount);
  return [first, ...rest];
};
