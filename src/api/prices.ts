import { z } from 'zod';
import { readDefaultEntity } from '../db/default-entity.ts';
import { previewPrice } from '../domain/catalog/preview.ts';
import { unnamedPriceSchema } from './price-schema.ts';
import { route } from './route.ts';
import { calendarDate, currency, instant, quantity, shown, timezone } from './schemas.ts';

const EVENTS_MAX = 10_000;

const moment = () => z.union([instant(), calendarDate()]);

/** It says which period is meant; what a quantity costs for a whole one is the same in each. */
const period = z
  .strictObject({ start: moment(), end: moment() })
  .refine(({ start, end }) => start < end, { path: ['end'], error: 'The end comes after the start.' });

const body = z
  .strictObject({
    price: unnamedPriceSchema,
    currency: currency(),
    quantity: quantity().default('1'),
    events: z.array(z.unknown()).max(EVENTS_MAX, `At most ${EVENTS_MAX}.`).nullish().meta({ type: 'null' }),
    period: period.nullish(),
    timezone: timezone().nullish(),
  })
  .superRefine(({ events }, context) => {
    if (events == null) return;
    const message = 'Events are counted by USAGE prices, which are not supported; send a quantity.';
    context.addIssue({ code: 'custom', path: ['events'], message, params: { code: 'price.invalid' } });
  })
  .meta({ id: 'PricePreviewRequest' });

export const priceRoutes = [
  route({
    method: 'POST',
    path: '/prices/preview',
    tag: 'Catalog',
    summary: 'Preview what a price charges',
    description:
      "For a whole period, rounded as a line: once, at its end, by the default entity's rounding mode. Nothing is stored.",
    scope: 'read',
    body,
    response: z.object({ amount: shown.amount(), explanation: z.array(z.string()) }).meta({ id: 'PricePreview' }),
    handler: async ({ tx, body: { price, quantity: units, currency: code } }) => {
      const { roundingMode } = await readDefaultEntity(tx);
      return previewPrice({ price, quantity: units, currency: code, rounding: roundingMode });
    },
  }),
];
