import type { Instant } from '../calendar.ts';
import {
  applyCoupons,
  type DiscountableLine,
  type DiscountShare,
  type Redemption,
  type TakenDiscount,
} from '../coupon/discount.ts';
import { applyCredits, type AppliedCredit, type Grant } from '../credit/apply-credits.ts';
import { decimal, sum, toAmount, type DecimalString, type RoundingMode } from '../money.ts';
import { applyTax, type TaxedLine, type TaxRow } from '../tax/tax-lines.ts';
import type { TaxContext, TaxedSupply } from '../tax/treatment.ts';
import { invoiceTotals, type InvoiceTotals } from './totals.ts';

/** A collected line: `amount` is rounded, signed, before discount, gross when the price is inclusive. */
export interface SettleLine extends DiscountableLine, TaxedSupply {
  readonly inclusive: boolean;
}

/** The same line once it is discounted and taxed. Exclusive: taxable = amount − discount. Inclusive: total is that. */
export interface SettledLine {
  readonly id: string;
  readonly ownerId: string;
  readonly inclusive: boolean;
  readonly amount: DecimalString;
  readonly discount: DecimalString;
  readonly taxable: DecimalString;
  readonly taxPercent: DecimalString;
  readonly tax: DecimalString;
  readonly taxes: readonly TaxRow[];
  /** taxable + tax. */
  readonly total: DecimalString;
}

/** An invoice's figures on the day it is issued, before any payment. */
export interface Settlement extends InvoiceTotals {
  readonly lines: SettledLine[];
  /** What each coupon took off each line, and off all of them. */
  readonly discounts: { shares: DiscountShare[]; taken: TakenDiscount[] };
  /** Tax by code, per cent and reason. */
  readonly taxes: TaxRow[];
  readonly credits: AppliedCredit[];
  /** Σ credits. */
  readonly creditsApplied: DecimalString;
  /** total − creditsApplied. */
  readonly amountDue: DecimalString;
}

/**
 * The pipeline from collected lines to what is due: coupons, tax, totals, credits (RO2 to RO6). The order exists here and
 * nowhere else: coupons lower the taxable base, credits settle what the tax is part of. Credits on a total of 0 apply
 * nothing.
 *
 * @param input.asOf Issue instant: decides which grants are void.
 * @throws           `coupon.invalid`, `tax.invalid`, `money.scale`: input that a validated record cannot hold.
 */
export function settle(input: {
  currency: string;
  rounding: RoundingMode;
  asOf: Instant;
  lines: readonly SettleLine[];
  redemptions: readonly Redemption[];
  taxInput: TaxContext;
  grants: readonly Grant[];
}): Settlement {
  const { currency, rounding, asOf } = input;
  const discounts = applyCoupons({ currency, rounding, lines: input.lines, redemptions: input.redemptions });
  const discounted = discountLines(input.lines, discounts.shares, currency);
  const taxed = applyTax({ ...input.taxInput, currency, rounding, lines: discounted.map(toTaxable) });
  const lines = discounted.map((line, index) => settledLine(line, taxed.lines[index], currency));
  const totals = invoiceTotals({ currency, payerId: input.taxInput.payer.customerId, lines });
  const { applied, due } = applyCredits({ due: totals.total, currency, asOf, grants: input.grants });
  return {
    ...totals,
    lines,
    discounts,
    taxes: taxed.summary,
    credits: applied,
    creditsApplied: toAmount(sum(applied.map((credit) => credit.amount)), currency),
    amountDue: due,
  };
}

interface DiscountedLine extends SettleLine {
  readonly discount: DecimalString;
  readonly discounted: DecimalString;
}

function discountLines(
  lines: readonly SettleLine[],
  shares: readonly DiscountShare[],
  currency: string,
): DiscountedLine[] {
  const sharesOf = Map.groupBy(shares, (share) => share.lineId);
  return lines.map((line) => {
    const discount = sum((sharesOf.get(line.id) ?? []).map((share) => share.amount));
    const discounted = decimal(line.amount).minus(discount);
    return { ...line, discount: toAmount(discount, currency), discounted: toAmount(discounted, currency) };
  });
}

const toTaxable = (line: DiscountedLine) => ({
  id: line.id,
  ownerId: line.ownerId,
  amount: line.discounted,
  inclusive: line.inclusive,
  taxCode: line.taxCode,
  taxPoint: line.taxPoint,
  fixedRates: line.fixedRates,
});

function settledLine(line: DiscountedLine, taxed: TaxedLine | undefined, currency: string): SettledLine {
  if (taxed?.lineId !== line.id) throw new Error(`Line ${line.id} came back from taxation as ${taxed?.lineId}.`);
  const { taxable, taxPercent, tax, taxes } = taxed;
  return {
    id: line.id,
    ownerId: line.ownerId,
    inclusive: line.inclusive,
    amount: toAmount(line.amount, currency),
    discount: line.discount,
    taxable,
    taxPercent,
    tax,
    taxes,
    total: toAmount(sum([taxable, tax]), currency),
  };
}
