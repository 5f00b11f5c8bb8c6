import type { CalendarDate } from '../calendar.ts';
import { BillingError } from '../errors.ts';

/** When a stream of numbers starts again at 1. */
export type NumberReset = 'NEVER' | 'YEARLY' | 'MONTHLY';

/** A piece of a number format: text as it stands, the entity's prefix, a part of the issue date, or the sequence. */
export type NumberPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'prefix' }
  | { readonly kind: DateToken }
  | { readonly kind: 'seq'; readonly widthMin: number };

type DateToken = 'YYYY' | 'YY' | 'MM' | 'DD';

const FORMAT_LENGTH_MAX = 64;
const SEQUENCE_WIDTH_MAX = 12;
const TOKENS = '{prefix}, {seq}, {seq:0000}, {YYYY}, {YY}, {MM} and {DD}';

/** Date tokens are of fixed width: that is what keeps a number readable in one way only. */
const DATE_TOKENS: Readonly<Record<DateToken, (issueDate: CalendarDate) => string>> = {
  YYYY: (issueDate) => issueDate.slice(0, 4),
  YY: (issueDate) => issueDate.slice(2, 4),
  MM: (issueDate) => issueDate.slice(5, 7),
  DD: (issueDate) => issueDate.slice(8, 10),
};

/**
 * Takes a number format apart (E3). It holds exactly one `{seq}`; `{seq:0000}` is a minimum width, `{seq}` has none.
 *
 * @throws `number_format.invalid` naming the token that is unknown, the brace that is open, or the sequence that is missing.
 */
export function parseNumberFormat(format: string): NumberPart[] {
  if (format.length > FORMAT_LENGTH_MAX || /\p{Cc}/u.test(format)) {
    throw invalid(format, `it is limited to ${FORMAT_LENGTH_MAX} characters, none of them a control character`);
  }
  const parts = [...format.matchAll(/\{([^{}]*)\}|([^{}]+)|[{}]/g)].map(([match, token, text]): NumberPart => {
    if (text !== undefined) return { kind: 'text', text };
    if (token === undefined) throw invalid(format, `the brace "${match}" has no partner`);
    return parseToken(format, token);
  });
  const sequences = parts.filter((part) => part.kind === 'seq').length;
  if (sequences !== 1) throw invalid(format, `it needs {seq} once, such as {seq:0000}, and has it ${sequences} times`);
  return parts;
}

function parseToken(format: string, token: string): NumberPart {
  if (token === 'prefix') return { kind: 'prefix' };
  if (isDateToken(token)) return { kind: token };
  const [, zeros] = /^seq(?::(0+))?$/.exec(token) ?? [null, null];
  if (zeros === null) throw invalid(format, `the token {${token}} is unknown; there are ${TOKENS}`);
  const widthMin = zeros?.length ?? 1;
  if (widthMin > SEQUENCE_WIDTH_MAX) throw invalid(format, `{${token}} is wider than ${SEQUENCE_WIDTH_MAX} digits`);
  return { kind: 'seq', widthMin };
}

const isDateToken = (token: string): token is DateToken => Object.hasOwn(DATE_TOKENS, token);

/**
 * Refuses a format whose numbers could repeat. A sequence that starts again needs the date of its period in the number:
 * YEARLY the year, MONTHLY the year and the month.
 *
 * No two numbers of an accepted format and one prefix are equal. All parts but the sequence have a fixed width, so two equal
 * numbers have their sequence, of equal width, at the same place; it is then the same sequence, and the date parts are the
 * same, so it is the same period. With `{YY}` alone this holds within one century.
 *
 * @throws `number_format.invalid` naming the token that is missing.
 */
export function assertUnique(format: string, numberReset: NumberReset): void {
  const kinds = new Set(parseNumberFormat(format).map((part) => part.kind));
  if (numberReset === 'NEVER') return;
  if (!kinds.has('YYYY') && !kinds.has('YY')) {
    throw invalid(format, `a ${numberReset} sequence needs {YYYY} or {YY}, or its numbers would repeat`);
  }
  if (numberReset === 'MONTHLY' && !kinds.has('MM')) {
    throw invalid(format, 'a MONTHLY sequence needs {MM}, or its numbers would repeat');
  }
}

/**
 * Writes a document number.
 *
 * @param input.prefix    Stands as it is, braces included.
 * @param input.sequence  The place in the stream, a whole number from 1.
 * @param input.issueDate Local date of the issue in the pinned zone (RT6).
 * @throws                `number_format.invalid` for a format that `parseNumberFormat` refuses, or another sequence.
 */
export function formatNumber(input: {
  format: string;
  prefix: string;
  sequence: number;
  issueDate: CalendarDate;
}): string {
  const { format, prefix, sequence, issueDate } = input;
  if (!Number.isSafeInteger(sequence) || sequence < 1) throw invalid(format, `${sequence} is no place in a sequence`);
  const written = parseNumberFormat(format).map((part) => {
    switch (part.kind) {
      case 'text':
        return part.text;
      case 'prefix':
        return prefix;
      case 'seq':
        return String(sequence).padStart(part.widthMin, '0');
      case 'YYYY':
      case 'YY':
      case 'MM':
      case 'DD':
        return DATE_TOKENS[part.kind](issueDate);
    }
  });
  return written.join('');
}

/** The period that a sequence counts in, part of its stream's key: '' | '2026' | '2026-08'. */
export function resetPeriod(numberReset: NumberReset, issueDate: CalendarDate): string {
  switch (numberReset) {
    case 'NEVER':
      return '';
    case 'YEARLY':
      return issueDate.slice(0, 4);
    case 'MONTHLY':
      return issueDate.slice(0, 7);
  }
}

const invalid = (format: string, reason: string): BillingError =>
  new BillingError('number_format.invalid', `The number format "${format}" cannot be used: ${reason}.`);
