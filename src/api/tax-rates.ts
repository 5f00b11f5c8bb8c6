import { z } from 'zod';
import { archiveTaxRate, changeTaxRate, createTaxRate, listTaxRates, readTaxRate } from '../db/tax-rates.ts';
import { code } from './code-schema.ts';
import { listOf, listQuery, queryFlag } from './listing.ts';
import { route } from './route.ts';
import { calendarDate, country, percent, reference, shown, text } from './schemas.ts';

const editable = {
  code: code(),
  name: text(200),
  percent: percent(),
  country: country().nullable(),
  region: text(100).nullable().meta({ description: 'As addresses write it; only with a country.' }),
  taxCode: code().nullable(),
  billingEntityId: reference().nullable(),
  validFrom: calendarDate().nullable().meta({ description: 'The first tax point that it applies to.' }),
  validTo: calendarDate().nullable().meta({ description: 'The first tax point that it no longer applies to.' }),
};

const createBody = z
  .strictObject(editable)
  .partial()
  .required({ code: true, percent: true })
  .meta({ id: 'NewTaxRate' });
const updateBody = z.strictObject(editable).partial().meta({ id: 'TaxRateChange' });

const taxRate = z
  .object({
    id: shown.id(),
    code: z.string(),
    name: z.string(),
    percent: shown.percent(),
    country: z.string().nullable(),
    region: z.string().nullable(),
    taxCode: z.string().nullable(),
    billingEntityId: shown.id().nullable(),
    validFrom: shown.date().nullable(),
    validTo: shown.date().nullable(),
    archivedAt: shown.instant().nullable(),
    createdAt: shown.instant(),
  })
  .meta({ id: 'TaxRate' });

const tag = 'Tax rates';

export const taxRateRoutes = [
  route({
    method: 'GET',
    path: '/tax-rates',
    tag,
    summary: 'List tax rates',
    scope: 'read',
    query: listQuery(['createdAt', 'code'], {
      code: text(100).optional(),
      country: text(2).optional(),
      region: text(100).optional(),
      taxCode: text(100).optional(),
      billingEntityId: reference().optional(),
      archived: queryFlag().optional(),
    }),
    response: listOf(taxRate),
    handler: ({ tx, query }) => listTaxRates(tx, query),
  }),
  route({
    method: 'POST',
    path: '/tax-rates',
    tag,
    summary: 'Create a tax rate',
    description:
      'What is left out matches everything. Of the rates that match a line the most specific place wins, then one for its tax ' +
      "code, then one of the entity's own; all that are equally specific apply together.",
    scope: 'write',
    status: 201,
    body: createBody,
    response: taxRate,
    handler: ({ tx, body, actor }) =>
      createTaxRate(
        tx,
        {
          code: body.code,
          name: body.name ?? body.code,
          percent: body.percent,
          country: body.country ?? null,
          region: body.region ?? null,
          taxCode: body.taxCode ?? null,
          billingEntityId: body.billingEntityId ?? null,
          validFrom: body.validFrom ?? null,
          validTo: body.validTo ?? null,
        },
        actor,
      ),
  }),
  route({
    method: 'GET',
    path: '/tax-rates/:taxRateId',
    tag,
    summary: 'Read a tax rate',
    scope: 'read',
    response: taxRate,
    handler: ({ tx, params }) => readTaxRate(tx, params.taxRateId),
  }),
  route({
    method: 'PUT',
    path: '/tax-rates/:taxRateId',
    tag,
    summary: 'Change a tax rate',
    description: 'Only what is sent changes. Issued invoices keep what they were taxed with.',
    scope: 'write',
    body: updateBody,
    response: taxRate,
    handler: ({ tx, params, body, actor }) => changeTaxRate(tx, params.taxRateId, body, actor),
  }),
  route({
    method: 'POST',
    path: '/tax-rates/:taxRateId/archive',
    tag,
    summary: 'Withdraw a tax rate',
    description: 'For good: it matches no line any more.',
    scope: 'write',
    response: taxRate,
    handler: ({ tx, params, actor }) => archiveTaxRate(tx, params.taxRateId, actor),
  }),
];
