import { z } from 'zod';
import { type CalendarDate, type Instant, isCalendarDate, isTimezone, parseInstant } from '../domain/calendar.ts';
import { isCountry } from '../domain/country.ts';
import { isCurrency } from '../domain/currency.ts';
import { unknownTimezone } from '../domain/entity/timezone.ts';
import { BillingError, type ErrorCode } from '../domain/errors.ts';
import {
  type DecimalString,
  INTEGER_DIGITS_MAX,
  isDecimalString,
  PERCENT_DECIMALS_MAX,
  toPlain,
  UNIT_DECIMALS_MAX,
} from '../domain/money.ts';
import { COUNTRY_CODES, CURRENCY_CODES } from './known-codes.ts';

/** Text that a person reads: 1 to `max` characters, not blank. Kept verbatim. */
export const text = (max = 255) =>
  z
    .string()
    .min(1, 'Empty. Send some text, or leave the field out.')
    .max(max, `Too long: at most ${max} characters.`)
    .regex(/\S/, 'Blank. Send some text, or leave the field out.');

export const email = () =>
  z
    .email('Not an e-mail address. Send one such as "billing@acme.example".')
    .max(254, 'Too long: at most 254 characters.')
    .regex(/^[^@]{1,64}@/, 'Too long in front of the @: at most 64 characters.');

/** An address on the web, http or https. */
export const webUrl = () =>
  z
    .url({ protocol: /^https?$/, error: 'Not a URL. Send one that begins with https://.' })
    .max(2000, 'Too long: at most 2000 characters.');

/** Adds the cure and the stable code to a refused text. */
const known = (holds: (text: string) => boolean, code: ErrorCode, message: (text: string) => string) =>
  z.string().superRefine((value, context) => {
    if (holds(value)) return;
    context.addIssue({ code: 'custom', message: message(value.slice(0, 60)), params: { code } });
  });

/** One object for all uses: a schema with an id is a component of the document. */
const sentCurrency = known(
  isCurrency,
  'currency.unknown',
  (code) => `Unknown currency '${code}'. Expected an ISO 4217 code in capitals (e.g. 'USD', 'EUR', 'JPY').`,
).meta({ id: 'CurrencyCode', description: 'ISO 4217.', examples: ['USD'], enum: [...CURRENCY_CODES] });

export const currency = () => sentCurrency;

const sentCountry = known(
  isCountry,
  'country.unknown',
  (code) => `Unknown country '${code}'. Expected an ISO 3166-1 alpha-2 code (e.g. 'US', 'DE', 'JP').`,
).meta({ id: 'CountryCode', description: 'ISO 3166-1 alpha-2.', examples: ['DE'], enum: [...COUNTRY_CODES] });

export const country = () => sentCountry;

/** Checked against Intl here; what the database knows is asked for where it is stored (`assertTimezone`). */
export const timezone = () =>
  known(isTimezone, 'timezone.unknown', unknownTimezone).meta({
    description: 'IANA zone.',
    examples: ['Asia/Tokyo'],
    pattern: '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$',
  });

/** As far as JSON Schema can say it. */
export const INSTANT_FORM = { format: 'date-time', pattern: '^(19|[2-8][0-9])[0-9]{2}-' };
export const DATE_FORM = { format: 'date', pattern: '^(19|[2-8][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$' };

/** An instant with an offset; comes out as ISO 8601 in UTC. */
export const instant = () =>
  z
    .string()
    .transform((value, context): Instant => {
      try {
        return parseInstant(value);
      } catch (error) {
        if (!(error instanceof BillingError)) throw error;
        context.addIssue({ code: 'custom', message: error.message, params: { code: error.code } });
        return z.NEVER;
      }
    })
    .meta({
      description: 'ISO 8601 with an offset, from 1900 to 8999.',
      ...INSTANT_FORM,
      examples: ['2026-08-01T00:00:00Z'],
    });

export const calendarDate = () =>
  z
    .string()
    .refine((value): value is CalendarDate => isCalendarDate(value), {
      error: `Not a date. Expected YYYY-MM-DD from 1900 to 8999, such as '2026-08-01'.`,
      params: { code: 'date.invalid' },
    })
    .meta({ description: 'Local date in the pinned zone.', ...DATE_FORM, examples: ['2026-08-01'] });

const DECIMAL_FORM = '^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$';
/** A decimal within its limits. */
const decimalForm = (sign: '' | '-?', decimals: number): string =>
  `^${sign}(0|[1-9][0-9]{0,${INTEGER_DIGITS_MAX - 1}})(\\.[0-9]{1,${decimals}})?$`;
const NOT_ZERO = { not: { pattern: '^-?0(\\.0+)?$' } };

/** The form and size of a decimal; which sign it may have is the caller's matter. */
const decimalFault = (value: string, decimals: number): string | null => {
  if (!isDecimalString(value))
    return `Not a decimal number. Expected one such as "19.00", without exponent or separators.`;
  const [whole = '', fraction = ''] = value.replace('-', '').split('.');
  if (whole.length > INTEGER_DIGITS_MAX) return `Too large: at most ${INTEGER_DIGITS_MAX} digits before the point.`;
  if (fraction.length > decimals) return `Too fine: at most ${decimals} decimals.`;
  return null;
};

/** A decimal string; a JSON number is refused with the reason. */
const decimalText = (what: string, example: string, decimals: number) =>
  z
    .string({
      error: ({ input }) =>
        typeof input === 'number'
          ? `Send ${what} as decimal strings such as "${example}"; a JSON number loses cents.`
          : undefined,
    })
    .superRefine((value, context) => {
      const message = decimalFault(value, decimals);
      if (message !== null) context.addIssue({ code: 'custom', message, params: { code: 'money.invalid' } });
    })
    .meta({ pattern: decimalForm('-?', decimals), examples: [example] });

const isNegative = (value: DecimalString): boolean => value.startsWith('-') && /[1-9]/.test(value);
const isZero = (value: DecimalString): boolean => !/[1-9]/.test(value);

/** An amount or a unit price, 0 or more. Whether it fits its currency's minor digits is the domain's question. */
export const money = () =>
  decimalText('amounts', '19.00', UNIT_DECIMALS_MAX)
    .refine((value) => !isNegative(value), 'Send 0 or more.')
    .meta({ pattern: decimalForm('', UNIT_DECIMALS_MAX) });

/** An amount of either sign, not 0. */
export const signedMoney = () =>
  decimalText('amounts', '19.00', UNIT_DECIMALS_MAX)
    .refine((value) => !isZero(value), 'Send an amount other than 0.')
    .meta(NOT_ZERO);

/** An amount above 0. */
export const positiveMoney = () =>
  decimalText('amounts', '19.00', UNIT_DECIMALS_MAX)
    .refine((value) => !isNegative(value) && !isZero(value), 'Send an amount above 0.')
    .meta({ pattern: decimalForm('', UNIT_DECIMALS_MAX), ...NOT_ZERO });

/** 0 to 100 per cent. */
export const percent = () =>
  decimalText('percentages', '19.00', PERCENT_DECIMALS_MAX)
    .refine((value) => !isNegative(value) && Number(value) <= 100, 'Send a percentage from 0 to 100.')
    .meta({ pattern: '^(100(\\.0{1,6})?|[1-9]?[0-9](\\.[0-9]{1,6})?)$' });

/** A decimal string, or a JSON number. Comes out as text. */
const quantityText = (sign: '' | '-?') =>
  z
    .union(
      [
        z.string().meta({ pattern: decimalForm(sign, UNIT_DECIMALS_MAX) }),
        z.number().meta({ maximum: QUANTITY_MAX, minimum: sign === '' ? 0 : -QUANTITY_MAX }),
      ],
      { error: 'Expected a number, or a decimal string such as "2.5".' },
    )
    .transform((value, context): DecimalString => {
      const written = typeof value === 'number' ? numberText(value) : value;
      const message = decimalFault(written, UNIT_DECIMALS_MAX);
      if (message === null) return toPlain(written);
      context.addIssue({ code: 'custom', message, params: { code: 'money.invalid' } });
      return z.NEVER;
    })
    .meta({ examples: ['1', 2.5] });

const QUANTITY_MAX = 10 ** INTEGER_DIGITS_MAX - 1;

/** A quantity of either sign. */
export const signedQuantity = () => quantityText('-?');

/** JavaScript's shortest text of a number, without its exponent. */
const numberText = (value: number): string => {
  const shortest = String(value);
  return shortest.includes('e') ? value.toFixed(UNIT_DECIMALS_MAX).replace(/\.?0+$/, '') : shortest;
};

/** A quantity of 0 or more. */
export const quantity = () => quantityText('').refine((value) => !isNegative(value), 'Send 0 or more.');

/** A whole number within limits. */
export const wholeNumber = (min: number, max: number) =>
  z
    .int({ error: `Expected a whole number from ${min} to ${max}.` })
    .min(min, `Send ${min} or more.`)
    .max(max, `Send ${max} or less.`);

/** An id, or for a customer also `externalId:<value>`. */
export const reference = () =>
  z
    .string()
    .min(1, 'Empty. Send an id.')
    .max(300, 'Too long for an id.')
    .meta({ examples: ['cus_01JD…'] });

/** One object for all uses: a schema with an id is a component of the document. */
const sentAddress = z
  .strictObject({
    line1: text(200).nullish(),
    line2: text(200).nullish(),
    city: text(100).nullish(),
    region: text(100).nullish(),
    postalCode: text(30).nullish(),
    country: country().nullish(),
  })
  .transform(({ line1, line2, city, region, postalCode, country: land }) => ({
    line1: line1 ?? null,
    line2: line2 ?? null,
    city: city ?? null,
    region: region ?? null,
    postalCode: postalCode ?? null,
    country: land ?? null,
  }))
  .meta({ id: 'PostalAddressInput' });

export const postalAddress = () => sentAddress;

/** Output forms: what is told needs no checks, only a description. */
export const shown = {
  id: () => z.string(),
  instant: () => z.string().meta({ format: 'date-time', examples: ['2026-08-01T00:00:00.000Z'] }),
  date: () => z.string().meta({ format: 'date', examples: ['2026-08-01'] }),
  /** Exactly the currency's minor digits. */
  amount: () => z.string().meta({ pattern: DECIMAL_FORM, examples: ['19.00'] }),
  /** No trailing zeros. */
  decimal: () => z.string().meta({ pattern: DECIMAL_FORM, examples: ['0.015'] }),
  percent: () => z.string().meta({ pattern: DECIMAL_FORM, examples: ['19.00'] }),
  address: () => shownAddress,
};

const line = () => z.string().nullable();

const shownAddress = z
  .object({ line1: line(), line2: line(), city: line(), region: line(), postalCode: line(), country: line() })
  .meta({ id: 'PostalAddress' });
