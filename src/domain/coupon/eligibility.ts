import type { Instant } from '../calendar.ts';
import { isCurrency, minorDigits } from '../currency.ts';
import type { Fault } from '../errors.ts';
import { decimal, isDecimalString, PERCENT_DECIMALS_MAX, type DecimalString } from '../money.ts';

/** For how many cycles a redemption takes something: one, `cycles` of them, or all. */
export type CouponDuration = 'ONCE' | 'REPEATING' | 'FOREVER';

/** The offer. Expiry and limit concern redeeming it: a redemption made in time runs for its whole duration. */
export interface Coupon {
  readonly code: string;
  readonly type: 'PERCENT' | 'FIXED';
  /** 0 < percent <= 100, for PERCENT. */
  readonly percent: DecimalString | null;
  /** Major units per cycle, > 0, for FIXED. */
  readonly amount: DecimalString | null;
  readonly currency: string | null;
  readonly duration: CouponDuration;
  /** How many cycles, for REPEATING. */
  readonly cycles: number | null;
  readonly maxRedemptions: number | null;
  /** The first instant at which it can no longer be redeemed. */
  readonly expiresAt: Instant | null;
  /** Whether what a FIXED coupon could not take waits for the next invoice. */
  readonly carryRemainder: boolean;
}

/** Why a coupon can't be redeemed now, as an error code; null when it can. */
export function redemptionRefusal(
  coupon: Pick<Coupon, 'expiresAt' | 'maxRedemptions'>,
  now: { asOf: Instant; redemptions: number },
): 'coupon.expired' | 'coupon.exhausted' | null {
  if (coupon.expiresAt !== null && coupon.expiresAt <= now.asOf) return 'coupon.expired';
  if (coupon.maxRedemptions !== null && now.redemptions >= coupon.maxRedemptions) return 'coupon.exhausted';
  return null;
}

/** Whether a coupon may be redeemed once more. */
export function isRedeemable(
  coupon: Pick<Coupon, 'expiresAt' | 'maxRedemptions'>,
  now: { asOf: Instant; redemptions: number },
): boolean {
  return redemptionRefusal(coupon, now) === null;
}

/**
 * Whether a redemption still takes something: ONCE has one cycle, REPEATING `cycles` of them, FOREVER has no end.
 *
 * @param cyclesUsed Issued invoices from which it took something (RO2), not counting one after which a carried remainder
 *                   was left: that cycle goes on with the remainder.
 */
export function hasCyclesLeft(coupon: Pick<Coupon, 'duration' | 'cycles'>, cyclesUsed: number): boolean {
  switch (coupon.duration) {
    case 'ONCE':
      return cyclesUsed < 1;
    case 'REPEATING':
      return cyclesUsed < (coupon.cycles ?? 0);
    case 'FOREVER':
      return true;
  }
}

/** What is wrong with a coupon beyond the form of its fields; nothing when it can be offered. */
export function validateCoupon(coupon: Coupon): Fault[] {
  const faults = coupon.type === 'PERCENT' ? percentFaults(coupon) : fixedFaults(coupon);
  if (coupon.duration === 'REPEATING' ? !isCount(coupon.cycles) : coupon.cycles !== null) {
    faults.push({
      path: 'cycles',
      message: 'A REPEATING coupon, and no other, needs a whole number of cycles from 1.',
    });
  }
  if (coupon.maxRedemptions !== null && !isCount(coupon.maxRedemptions)) {
    faults.push({ path: 'maxRedemptions', message: 'Give a whole number from 1, or leave it out.' });
  }
  return faults;
}

const isCount = (value: number | null): boolean => value !== null && Number.isSafeInteger(value) && value >= 1;

function percentFaults({ percent, amount, currency, carryRemainder }: Coupon): Fault[] {
  const faults: Fault[] = [];
  const value = percent !== null && isDecimalString(percent) ? decimal(percent) : null;
  if (value === null || value.lte(0) || value.gt(100) || value.decimalPlaces() > PERCENT_DECIMALS_MAX) {
    faults.push({ path: 'percent', message: 'A PERCENT coupon needs a per cent above 0, up to 100, of 6 decimals.' });
  }
  if (amount !== null) faults.push({ path: 'amount', message: 'A PERCENT coupon has no amount.' });
  if (currency !== null) faults.push({ path: 'currency', message: 'A PERCENT coupon has no currency.' });
  if (carryRemainder) faults.push({ path: 'carryRemainder', message: 'Only a FIXED coupon has a remainder.' });
  return faults;
}

function fixedFaults({ percent, amount, currency }: Coupon): Fault[] {
  const faults: Fault[] = [];
  if (percent !== null) faults.push({ path: 'percent', message: 'A FIXED coupon has no per cent.' });
  if (currency === null || !isCurrency(currency)) {
    return [...faults, { path: 'currency', message: 'A FIXED coupon needs an ISO 4217 currency.' }];
  }
  const value = amount !== null && isDecimalString(amount) ? decimal(amount) : null;
  if (value === null || value.lte(0) || value.decimalPlaces() > minorDigits(currency)) {
    faults.push({ path: 'amount', message: `A FIXED coupon needs an amount above 0, in minor units of ${currency}.` });
  }
  return faults;
}
