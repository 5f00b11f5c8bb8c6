import { decimal, sum } from '../src/domain/money.ts';
import type { Invoice, Line } from './shapes.ts';

/** Something is not as it must be; the message says what, in one line. */
export class Unmet extends Error {
  override readonly name = 'Unmet';
}

/** @throws `Unmet` when the claim does not hold. */
export function expectThat(claim: string, holds: boolean, found: string): void {
  if (!holds) throw new Unmet(`Expected that ${claim}; ${found}.`);
}

/** Compares two amounts as numbers. */
export function expectAmount(what: string, actual: string, wanted: string): void {
  expectThat(`${what} is ${wanted}`, decimal(actual).eq(decimal(wanted)), `it is ${actual}`);
}

/** Adds an invoice up again from its lines, by line, by rate and by account (RO4, RO6). */
export function checkTotals(invoice: Invoice): void {
  const { lines, accounts, taxes, credits } = invoice;
  const name = `of ${invoice.number}`;
  for (const line of lines)
    expectAmount(`the total of "${line.description}" ${name}`, line.total, sum([line.taxable, line.tax]).toFixed());
  const figures: readonly [string, string, readonly string[]][] = [
    ['subtotal', invoice.subtotal, lines.map(({ amount }) => amount)],
    ['discount', invoice.discountTotal, lines.map(({ discount }) => discount)],
    ['tax', invoice.taxTotal, lines.map(({ tax }) => tax)],
    ['tax by rate', invoice.taxTotal, taxes.map(({ amount }) => amount)],
    ['total', invoice.total, [...lines.map(({ total }) => total), invoice.creditGranted]],
    ['total by account', invoice.total, [...accounts.map(({ total }) => total), invoice.creditGranted]],
    ['credits', invoice.creditsApplied, credits.map(({ amount }) => amount)],
    ['total again, from what is due', invoice.total, [invoice.amountDue, invoice.amountPaid, invoice.creditsApplied]],
  ];
  for (const [what, stated, parts] of figures) expectAmount(`the ${what} ${name}`, stated, sum(parts).toFixed());
  for (const account of accounts) {
    const own = lines.filter(({ billedFrom }) => billedFrom.customerId === account.customerId);
    expectAmount(`what ${account.name} comes to ${name}`, account.total, sum(own.map(({ total }) => total)).toFixed());
  }
}

/** A stream of numbers: those of one entity, and of one year or month where its numbers start again. */
export interface Stream {
  readonly name: string;
  readonly first: string;
  readonly last: string;
  readonly count: number;
}

/**
 * The streams of one entity, proved to run from 1 to n without a gap, a repeat, or a date that goes back.
 *
 * @param invoices all that the entity ever issued.
 */
export function provenStreams(invoices: readonly Invoice[], numberReset: 'NEVER' | 'YEARLY' | 'MONTHLY'): Stream[] {
  const length = { NEVER: 0, YEARLY: 4, MONTHLY: 7 }[numberReset];
  const streams = Map.groupBy(invoices, ({ issueDate }) => issueDate.slice(0, length));
  return [...streams]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, issued]) => {
      const ordered = issued.toSorted((a, b) => sequenceOf(a) - sequenceOf(b));
      for (const [index, invoice] of ordered.entries()) {
        expectThat(
          `number ${index + 1} of its stream follows`,
          sequenceOf(invoice) === index + 1,
          `there is ${invoice.number}`,
        );
        const before = ordered[index - 1];
        const isLater = before === undefined || Date.parse(before.issuedAt) <= Date.parse(invoice.issuedAt);
        expectThat(
          `${invoice.number} was not issued before ${before?.number}`,
          isLater,
          `it was, at ${invoice.issuedAt}`,
        );
      }
      return { name, first: ordered[0]?.number ?? '', last: ordered.at(-1)?.number ?? '', count: ordered.length };
    });
}

/** Every format of the demo ends with the sequence. */
const sequenceOf = ({ number }: Invoice): number => Number(/\d+$/.exec(number)?.[0]);

/** The one line that a claim is about. */
export function theLine(lines: readonly Line[], what: string, isIt: (line: Line) => boolean): Line {
  const found = lines.filter(isIt);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Unmet(`Expected one line with ${what}; found ${found.length}.`);
  return only;
}
