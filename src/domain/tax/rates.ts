import type { CalendarDate } from '../calendar.ts';
import { isCountry } from '../country.ts';
import type { Fault } from '../errors.ts';
import { decimal, isDecimalString, PERCENT_DECIMALS_MAX, type DecimalString } from '../money.ts';

/** A rate of a jurisdiction. An absent (null) field matches everything. */
export interface TaxRate {
  readonly id: string;
  readonly code: string;
  readonly name: string;
  /** 0 to 100, up to 6 decimals. */
  readonly percent: DecimalString;
  readonly country: string | null;
  /** State, province or county, as addresses write it; capitals do not matter. */
  readonly region: string | null;
  readonly taxCode: string | null;
  readonly billingEntityId: string | null;
  /** The first tax point that it applies to. */
  readonly validFrom: CalendarDate | null;
  /** The first tax point that it no longer applies to. */
  readonly validTo: CalendarDate | null;
}

/** What is sold, where, by whom and when. */
export interface TaxSituation {
  readonly country: string | null;
  readonly region: string | null;
  readonly taxCode: string | null;
  readonly billingEntityId: string;
  readonly taxPoint: CalendarDate;
}

/**
 * The rates for a line (RO3): of those that match place, tax code, entity and date, the most specific, all that are equally
 * specific together, in the order given.
 *
 * Specificity is decided by place first (country and region > country > none); among rates of one place, one for the line's
 * tax code beats one for all codes (a reduced rate replaces the general one, it does not come on top); among those, one of
 * the entity's own beats one for all entities.
 */
export function selectRates(rates: readonly TaxRate[], situation: TaxSituation): TaxRate[] {
  const matching = rates.filter((rate) => matches(rate, situation));
  const best = Math.max(...matching.map(specificity));
  return matching.filter((rate) => specificity(rate) === best);
}

/** What is wrong with a rate beyond the form of its fields; nothing when it can be used. */
export function validateTaxRate(rate: Omit<TaxRate, 'id'>): Fault[] {
  const faults: Fault[] = [];
  const percent = isDecimalString(rate.percent) ? decimal(rate.percent) : null;
  if (percent === null || percent.lt(0) || percent.gt(100) || percent.decimalPlaces() > PERCENT_DECIMALS_MAX) {
    faults.push({ path: 'percent', message: 'Give a per cent from 0 to 100 with at most 6 decimals.' });
  }
  if (rate.country !== null && !isCountry(rate.country)) {
    faults.push({ path: 'country', message: 'Give an ISO 3166-1 alpha-2 code in capitals, for example US, DE or JP.' });
  }
  if (rate.region !== null && rate.country === null) {
    faults.push({ path: 'region', message: 'A region needs its country.' });
  }
  if (rate.validFrom !== null && rate.validTo !== null && rate.validTo <= rate.validFrom) {
    faults.push({ path: 'validTo', message: 'validTo is the first day without the rate: it comes after validFrom.' });
  }
  return faults;
}

const matches = (rate: TaxRate, { country, region, taxCode, billingEntityId, taxPoint }: TaxSituation): boolean =>
  (rate.country === null || rate.country === country) &&
  (rate.region === null || isSameRegion(rate.region, region)) &&
  (rate.taxCode === null || rate.taxCode === taxCode) &&
  (rate.billingEntityId === null || rate.billingEntityId === billingEntityId) &&
  (rate.validFrom === null || rate.validFrom <= taxPoint) &&
  (rate.validTo === null || taxPoint < rate.validTo);

const isSameRegion = (a: string, b: string | null): boolean => b !== null && a.toUpperCase() === b.toUpperCase();

/** One number whose digits are place, tax code and entity, so that a place outweighs the other two. */
const specificity = (rate: TaxRate): number =>
  4 * (Number(rate.country !== null) + Number(rate.region !== null)) +
  2 * Number(rate.taxCode !== null) +
  Number(rate.billingEntityId !== null);
