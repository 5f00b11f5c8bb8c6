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

/** Profiles of payer and owners, and every rate of the tenant (RO3); the domain picks by tax point. */
export async function loadTaxContext(tx: Tx, party: TaxedParty, ownerIds: readonly string[]): Promise<TaxContext> {
  const others = party.taxAddress === 'OWNER' ? ownerIds : [];
  const profiles = await taxProfiles(tx, [party.payerCustomerId, ...others]);
  const payer = profiles.find(({ customerId }) => customerId === party.payerCustomerId) as TaxProfile;
  return {
    taxAddress: party.taxAddress,
    billingEntityId: party.billingEntityId,
    entityCountry: party.entityCountry,
    payer,
    owners: profiles.filter((profile) => profile !== payer),
    rates: await taxRates(tx),
  };
}

async function taxProfiles(tx: Tx, customerIds: readonly string[]): Promise<TaxProfile[]> {
  const rows = await tx.db
    .selectFrom('customers')
    .where('id', '=', sql<string>`any(${customerIds}::text[])`)
    .select(['id', 'address', 'taxCountry', 'taxRate', 'taxExempt', 'taxId'])
    .execute();
  return rows.map((row) => {
    const address = row.address as PostalAddress | null;
    return {
      customerId: row.id,
      country: row.taxCountry ?? address?.country ?? null,
      region: address?.region ?? null,
      taxRate: row.taxRate,
      taxExempt: row.taxExempt,
      taxId: row.taxId,
    };
  });
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
