import { sql } from 'kysely';
import type { AppliedRate, TaxContext, TaxProfile } from '../../domain/tax/treatment.ts';
import type { PostalAddress } from '../../domain/customer/address.ts';
import type { DecimalString } from '../../domain/money.ts';
import type { TaxRate } from '../../domain/tax/rates.ts';
import type { Tx } from '../database.ts';

/** Whose invoice it is, and how it is taxed. */
export interface TaxedParty {
  readonly payerCustomerId: string;
  readonly billingEntityId: string;
  readonly entityCountry: string | null;
  readonly taxAddress: 'PAYER' | 'OWNER';
}

/** Profiles of payers and owners, and every rate of the tenant (RO3); the domain picks by tax point. Two statements. */
export async function loadTaxContexts(
  tx: Tx,
  parties: readonly (TaxedParty & { readonly ownerIds: readonly string[] })[],
): Promise<TaxContext[]> {
  const ids = parties.flatMap((party) => [
    party.payerCustomerId,
    ...(party.taxAddress === 'OWNER' ? party.ownerIds : []),
  ]);
  const profiles = await taxProfiles(tx, [...new Set(ids)]);
  const rates = await taxRates(tx);
  return parties.map(({ taxAddress, billingEntityId, entityCountry, payerCustomerId, ownerIds }) => {
    const others = taxAddress === 'OWNER' ? ownerIds.filter((id) => id !== payerCustomerId) : [];
    const owners = others.map((id) => profiles.get(id)).filter((profile) => profile !== undefined);
    return {
      taxAddress,
      billingEntityId,
      entityCountry,
      payer: profiles.get(payerCustomerId) as TaxProfile,
      owners,
      rates,
    };
  });
}

async function taxProfiles(tx: Tx, customerIds: readonly string[]): Promise<Map<string, TaxProfile>> {
  const rows = await tx.db
    .selectFrom('customers')
    .where('id', '=', sql<string>`any(${customerIds}::text[])`)
    .select(['id', 'address', 'taxCountry', 'taxRate', 'taxExempt', 'taxId'])
    .execute();
  return new Map(rows.map((row) => [row.id, toProfile(row)]));
}

function toProfile(row: {
  id: string;
  address: unknown;
  taxCountry: string | null;
  taxRate: DecimalString | null;
  taxExempt: boolean;
  taxId: string | null;
}): TaxProfile {
  const address = row.address as PostalAddress | null;
  return {
    customerId: row.id,
    country: row.taxCountry ?? address?.country ?? null,
    region: address?.region ?? null,
    taxRate: row.taxRate,
    taxExempt: row.taxExempt,
    taxId: row.taxId,
  };
}

const taxRates = (tx: Tx): Promise<TaxRate[]> =>
  tx.db
    .selectFrom('tax_rates')
    .where('archivedAt', 'is', null)
    .orderBy('createdAt')
    .orderBy('id')
    .select([
      'id',
      'code',
      'name',
      'percent',
      'country',
      'region',
      'taxCode',
      'billingEntityId',
      'validFrom',
      'validTo',
    ])
    .execute();

/** The rates of lines that were issued, for the credits that keep them (RP5), by line id. */
export async function ratesOfLines(tx: Tx, lineIds: readonly string[]): Promise<Map<string, AppliedRate[]>> {
  if (lineIds.length === 0) return new Map();
  const rows = await tx.db
    .selectFrom('line_taxes')
    .where('lineId', '=', sql<string>`any(${lineIds}::text[])`)
    .orderBy('lineId')
    .orderBy('position')
    .select(['lineId', 'code', 'name', 'percent', 'reason'])
    .execute();
  const byLine = Map.groupBy(rows, ({ lineId }) => lineId);
  return new Map(
    lineIds.map((lineId) => [
      lineId,
      (byLine.get(lineId) ?? []).map(({ code, name, percent, reason }): AppliedRate => ({
        code,
        name,
        percent: percent satisfies DecimalString,
        reason,
      })),
    ]),
  );
}
