import { type Cadence, toStep } from '../billing-group/cadence.ts';
import { BillingError, type Fault } from '../errors.ts';
import { decimal, INTEGER_DIGITS_MAX, isDecimalString, UNIT_DECIMALS_MAX, type DecimalString } from '../money.ts';

/** RECURRING takes the subscription's quantity every period, USAGE the meter's; SETUP is charged once (RP11). */
export type PriceType = 'RECURRING' | 'USAGE' | 'SETUP';

/** How a quantity becomes an amount: one file of `pricing/` each (RC1 to RC5). */
export type PriceModel = 'FLAT' | 'PER_UNIT' | 'GRADUATED' | 'VOLUME' | 'PACKAGE' | 'PERCENTAGE';

/** In advance: charged at the period's start. In arrears: at its end. */
export type BillingTiming = 'ADVANCE' | 'ARREARS';

/** A slice of quantities up to and including `upTo`; null in the last one. */
export interface PriceTier {
  readonly upTo: DecimalString | null;
  readonly unitAmount: DecimalString | null;
  readonly flatAmount: DecimalString | null;
}

/** A price as it is sent and stored: every field is there, null where it is absent. */
export interface PriceFields {
  /** Names the price within its plan or subscription; a change matches prices by it. */
  readonly code: string;
  readonly type: PriceType;
  readonly model: PriceModel;
  /** Major units, unrounded, up to 12 decimals: the flat amount, the unit price, a package's price or the fee per event. */
  readonly amount: DecimalString | null;
  readonly tiers: readonly PriceTier[] | null;
  readonly packageSize: DecimalString | null;
  /** Units of each period that cost nothing. */
  readonly freeUnits: DecimalString | null;
  readonly percent: DecimalString | null;
  readonly freeEvents: DecimalString | null;
  readonly freeAmount: DecimalString | null;
  readonly perEventMinimum: DecimalString | null;
  readonly perEventMaximum: DecimalString | null;
  readonly minimumAmount: DecimalString | null;
  readonly maximumAmount: DecimalString | null;
  readonly billing: BillingTiming;
  /** Null: the group's. */
  readonly cadence: Cadence | null;
  /** Code of the meter that USAGE counts. */
  readonly meter: string | null;
  readonly taxCode: string | null;
  /** Whether the amounts contain their tax. */
  readonly taxInclusive: boolean;
}

/** Fields that only some models have. */
type ModelField =
  | 'tiers'
  | 'packageSize'
  | 'freeUnits'
  | 'percent'
  | 'freeEvents'
  | 'freeAmount'
  | 'perEventMinimum'
  | 'perEventMaximum';

/** The fields of one model: those of others are null. A new model is a line here and in `MODEL_FIELDS`, and a file. */
type PriceOf<Model extends PriceModel, Own extends object, Optional extends ModelField = never> = Omit<
  PriceFields,
  'model' | 'amount' | ModelField
> & { readonly model: Model } & Readonly<Own> & { readonly [field in Optional]: PriceFields[field] } & {
    readonly [field in Exclude<ModelField, Optional | keyof Own>]: null;
  };

/** The amount, whatever the quantity. */
export type FlatPrice = PriceOf<'FLAT', { amount: DecimalString }>;

/** `amount` is the price of one unit. */
export type PerUnitPrice = PriceOf<'PER_UNIT', { amount: DecimalString }, 'freeUnits'>;

/** A price that can be charged, told apart by `model`. */
export type Price = FlatPrice | PerUnitPrice;

const MODEL_FIELDS: Readonly<Record<Price['model'], readonly ModelField[]>> = { FLAT: [], PER_UNIT: ['freeUnits'] };

const ALL_MODEL_FIELDS = [
  'tiers',
  'packageSize',
  'freeUnits',
  'percent',
  'freeEvents',
  'freeAmount',
  'perEventMinimum',
  'perEventMaximum',
] as const satisfies readonly ModelField[];

/** What `billing` is when it is not given. */
export const defaultBilling = (type: PriceType): BillingTiming => (type === 'USAGE' ? 'ARREARS' : 'ADVANCE');

/**
 * What is wrong with a price beyond the form of its fields; nothing when it can be charged.
 *
 * Charged today: RECURRING and SETUP, each FLAT or PER_UNIT. An amount is 0 or more (money is taken off by a coupon, a
 * credit or a negative one-time charge), with at most 15 digits and 12 decimals.
 */
export function validatePrice(price: PriceFields): Fault[] {
  return [...typeFaults(price), ...cadenceFaults(price), ...modelFaults(price), ...amountFaults(price)];
}

/**
 * The same price, known to be one that can be charged.
 *
 * @throws `price.invalid` with every fault that `validatePrice` finds.
 */
export function asPrice(price: PriceFields): Price {
  const faults = validatePrice(price);
  if (faults.length === 0 && isChargeable(price)) return price;
  const reasons = faults.map(({ path, message }) => `${path}: ${message}`).join(' ');
  throw new BillingError('price.invalid', `Price "${price.code}" cannot be charged. ${reasons}`, faults);
}

/** True whenever `validatePrice` finds nothing; it is what the compiler needs to hear. */
const isChargeable = (price: PriceFields): price is Price =>
  isSupportedModel(price.model) && price.amount !== null && foreignFields(price).length === 0;

const isSupportedModel = (model: PriceModel): model is Price['model'] => Object.hasOwn(MODEL_FIELDS, model);

const foreignFields = (price: PriceFields): ModelField[] => {
  const own: readonly ModelField[] = isSupportedModel(price.model) ? MODEL_FIELDS[price.model] : ALL_MODEL_FIELDS;
  return ALL_MODEL_FIELDS.filter((field) => price[field] !== null && !own.includes(field));
};

function typeFaults(price: PriceFields): Fault[] {
  if (price.type === 'USAGE') return [{ path: 'type', message: 'USAGE is not supported; use RECURRING or SETUP.' }];
  const faults: Fault[] = [];
  if (price.meter !== null) faults.push({ path: 'meter', message: `A ${price.type} price has no meter.` });
  if (price.type === 'SETUP' && price.cadence !== null) {
    faults.push({ path: 'cadence', message: 'A SETUP price is charged once; leave its cadence out.' });
  }
  if (price.type === 'SETUP' && price.billing === 'ARREARS') {
    faults.push({
      path: 'billing',
      message: 'A SETUP price is charged when its item is added; leave its billing out.',
    });
  }
  return faults;
}

function cadenceFaults({ cadence }: PriceFields): Fault[] {
  try {
    if (cadence !== null) toStep(cadence);
    return [];
  } catch (error) {
    if (!(error instanceof BillingError)) throw error;
    return [{ path: 'cadence', message: error.message }];
  }
}

function modelFaults(price: PriceFields): Fault[] {
  if (!isSupportedModel(price.model)) {
    return [{ path: 'model', message: `${price.model} is not supported; use FLAT or PER_UNIT.` }];
  }
  const limits = (['minimumAmount', 'maximumAmount'] as const).filter((field) => price[field] !== null);
  return [
    ...foreignFields(price).map((path) => ({ path, message: `A ${price.model} price has no ${path}.` })),
    ...limits.map((path) => ({ path, message: 'Minimum and maximum amounts are not supported; leave them out.' })),
  ];
}

function amountFaults(price: PriceFields): Fault[] {
  if (price.amount === null) return [{ path: 'amount', message: `A ${price.model} price needs an amount.` }];
  return [
    ...quantityFault('amount', price.amount),
    ...(price.freeUnits === null ? [] : quantityFault('freeUnits', price.freeUnits)),
  ];
}

function quantityFault(path: string, text: DecimalString): Fault[] {
  if (!isDecimalString(text)) return [{ path, message: `"${text}" is not a decimal number such as "19.00".` }];
  const value = decimal(text);
  if (value.isNegative() && !value.isZero()) return [{ path, message: `${text} is below 0.` }];
  if (value.decimalPlaces() > UNIT_DECIMALS_MAX) return [{ path, message: `${text} has more than 12 decimals.` }];
  if (value.gte(`1e${INTEGER_DIGITS_MAX}`)) return [{ path, message: `${text} has more than 15 digits.` }];
  return [];
}
