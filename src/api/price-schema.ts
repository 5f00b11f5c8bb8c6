import { z } from 'zod';
import { repeatedCodes } from '../domain/catalog/plan.ts';
import { asPrice, defaultBilling, type Price, type PriceFields, validatePrice } from '../domain/catalog/price.ts';
import { toPlain } from '../domain/money.ts';
import { cadence, shownCadence } from './cadence-schema.ts';
import { code } from './code-schema.ts';
import { money, percent, quantity, shown } from './schemas.ts';

const PRICES_MAX = 100;
const TIERS_MAX = 100;
const INVALID = { code: 'price.invalid' };

const priceType = z.enum(['RECURRING', 'USAGE', 'SETUP']);
const priceModel = z.enum(['FLAT', 'PER_UNIT', 'GRADUATED', 'VOLUME', 'PACKAGE', 'PERCENTAGE']);
const billing = z.enum(['ADVANCE', 'ARREARS']);

/** Without trailing zeros, so that equal prices are equal texts. */
const unitPrice = () => money().transform(toPlain);

const fields = {
  type: priceType,
  model: priceModel,
  amount: unitPrice().nullish().meta({ description: 'The flat amount, or the price of one unit; up to 12 decimals.' }),
  tiers: z
    .array(
      z.strictObject({
        upTo: quantity().nullish(),
        unitAmount: unitPrice().nullish(),
        flatAmount: unitPrice().nullish(),
      }),
    )
    .max(TIERS_MAX, `At most ${TIERS_MAX}.`)
    .nullish(),
  packageSize: quantity().nullish(),
  freeUnits: quantity().nullish(),
  percent: percent().nullish(),
  freeEvents: quantity().nullish(),
  freeAmount: unitPrice().nullish(),
  perEventMinimum: unitPrice().nullish(),
  perEventMaximum: unitPrice().nullish(),
  minimumAmount: unitPrice().nullish(),
  maximumAmount: unitPrice().nullish(),
  billing: billing.nullish().meta({ description: 'ADVANCE unless sent.' }),
  cadence: cadence().nullish().meta({ description: "The group's unless sent." }),
  meter: code().nullish(),
  taxCode: code().nullish().meta({ description: "The plan's unless sent." }),
  taxInclusive: z.boolean().default(false),
};

type SentPrice = z.output<z.ZodObject<typeof fields>> & { readonly code: string };

/** Every field of the domain's value, null where nothing was sent. */
const toFields = (sent: SentPrice): PriceFields => ({
  code: sent.code,
  type: sent.type,
  model: sent.model,
  amount: sent.amount ?? null,
  tiers: sent.tiers?.map(toTier) ?? null,
  packageSize: sent.packageSize ?? null,
  freeUnits: sent.freeUnits ?? null,
  percent: sent.percent ?? null,
  freeEvents: sent.freeEvents ?? null,
  freeAmount: sent.freeAmount ?? null,
  perEventMinimum: sent.perEventMinimum ?? null,
  perEventMaximum: sent.perEventMaximum ?? null,
  minimumAmount: sent.minimumAmount ?? null,
  maximumAmount: sent.maximumAmount ?? null,
  billing: sent.billing ?? defaultBilling(sent.type),
  cadence: sent.cadence ?? null,
  meter: sent.meter ?? null,
  taxCode: sent.taxCode ?? null,
  taxInclusive: sent.taxInclusive,
});

const toTier = (tier: NonNullable<SentPrice['tiers']>[number]) => ({
  upTo: tier.upTo ?? null,
  unitAmount: tier.unitAmount ?? null,
  flatAmount: tier.flatAmount ?? null,
});

/** A price that can be charged. A type or model that is not supported is told alone: its other faults follow from it. */
function toPrice(sent: SentPrice, context: z.RefinementCtx): Price {
  const price = toFields(sent);
  const faults = validatePrice(price);
  if (faults.length === 0) return asPrice(price);
  const unsupported = faults.filter(({ path }) => path === 'type' || path === 'model');
  for (const { path, message } of unsupported.length > 0 ? unsupported : faults) {
    context.addIssue({ code: 'custom', path: [path], message, params: INVALID });
  }
  return z.NEVER;
}

/** One price as plans and subscriptions take it; comes out as the domain's `Price`, unit prices without trailing zeros. */
export const priceSchema = z
  .strictObject({ code: code(), ...fields })
  .transform(toPrice)
  .meta({ id: 'PriceInput' });

/** The same where nothing refers to it by a code. */
export const unnamedPriceSchema = z
  .strictObject({ code: code().default('price'), ...fields })
  .transform(toPrice)
  .meta({ id: 'UnnamedPriceInput' });

const sentPrices = z
  .array(priceSchema)
  .min(1, 'Send at least one price.')
  .max(PRICES_MAX, `At most ${PRICES_MAX}.`)
  .superRefine((prices, context) => {
    for (const index of repeatedCodes(prices)) {
      const message = `There is a price "${prices[index]?.code}" in this list already. Each code stands once.`;
      context.addIssue({ code: 'custom', path: [index, 'code'], message, params: INVALID });
    }
  });

/** The prices of a plan or a subscription: at least one, no code twice. */
export const pricesSchema = () => sentPrices;

/** A price on output: every field, null where it has none. */
export const shownPrice = z
  .object({
    code: z.string(),
    type: priceType,
    model: priceModel,
    amount: shown.decimal().nullable(),
    tiers: z
      .array(
        z.object({
          upTo: shown.decimal().nullable(),
          unitAmount: shown.decimal().nullable(),
          flatAmount: shown.decimal().nullable(),
        }),
      )
      .nullable(),
    packageSize: shown.decimal().nullable(),
    freeUnits: shown.decimal().nullable(),
    percent: shown.percent().nullable(),
    freeEvents: shown.decimal().nullable(),
    freeAmount: shown.decimal().nullable(),
    perEventMinimum: shown.decimal().nullable(),
    perEventMaximum: shown.decimal().nullable(),
    minimumAmount: shown.decimal().nullable(),
    maximumAmount: shown.decimal().nullable(),
    billing,
    cadence: shownCadence().nullable(),
    meter: z.string().nullable(),
    taxCode: z.string().nullable(),
    taxInclusive: z.boolean(),
  })
  .meta({ id: 'Price' });
