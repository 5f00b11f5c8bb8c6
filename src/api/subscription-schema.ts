import { z } from 'zod';
import { isCalendarDate, parseInstant } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import type { Effective } from '../domain/subscription/effective.ts';
import { pricesSchema, shownPrice } from './price-schema.ts';
import {
  calendarDate,
  currency,
  DATE_FORM,
  instant,
  INSTANT_FORM,
  postalAddress,
  quantity,
  reference,
  shown,
  text,
  wholeNumber,
} from './schemas.ts';

export const subscriptionStatus = z.enum(['SCHEDULED', 'TRIALING', 'ACTIVE', 'PAUSED', 'CANCELED']);
const midCycleCharges = z.enum(['NEXT_INVOICE', 'IMMEDIATE']);
const TRIAL_DAYS_MAX = 3650;

/** NOW, PERIOD_END, an instant or a local date. */
export const effective = () =>
  z
    .string()
    .transform((value, context): Effective => {
      if (value === 'NOW' || value === 'PERIOD_END') return { kind: value };
      if (isCalendarDate(value)) return { on: value };
      try {
        return { at: parseInstant(value) };
      } catch (error) {
        if (!(error instanceof BillingError)) throw error;
        context.addIssue({
          code: 'custom',
          message: "Send NOW, PERIOD_END, an instant with an offset, or a date 'YYYY-MM-DD'.",
        });
        return z.NEVER;
      }
    })
    .meta({
      examples: ['PERIOD_END', '2026-08-01'],
      anyOf: [{ enum: ['NOW', 'PERIOD_END'] }, DATE_FORM, INSTANT_FORM],
    });

const EXCLUSIVE = [
  ['planCode', 'prices'],
  ['startAt', 'startDate'],
  ['endAt', 'endDate'],
  ['trialDays', 'trialEndsAt'],
] as const;

/** What a new subscription is made of. */
export const newSubscription = z
  .strictObject({
    customerId: reference(),
    planCode: text(100).optional(),
    prices: pricesSchema().optional(),
    currency: currency().optional(),
    quantity: quantity().optional(),
    quantities: z.record(text(100), quantity()).optional(),
    startAt: instant().optional(),
    startDate: calendarDate().optional(),
    endAt: instant().optional(),
    endDate: calendarDate().optional(),
    trialDays: wholeNumber(0, TRIAL_DAYS_MAX).optional(),
    trialEndsAt: instant().optional(),
    billingEntityId: reference().optional(),
    invoicingCustomerId: reference().optional(),
    billingGroupId: reference().optional(),
    groupedSubscriptionIds: z.array(reference()).max(100, 'At most 100.').optional(),
    shippingAddress: postalAddress().optional(),
    align: z.boolean().default(true),
    proration: z.enum(['DAY', 'SECOND']).default('DAY'),
    coupons: z.array(text(100)).max(20, 'At most 20.').default([]),
    midCycleCharges: midCycleCharges.optional(),
  })
  .superRefine((body, context) => {
    for (const [one, other] of EXCLUSIVE) {
      if (body[one] === undefined || body[other] === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [other],
        message: `${one} and ${other} exclude each other. Send one of them.`,
      });
    }
    if (body.planCode === undefined && body.prices === undefined) {
      context.addIssue({ code: 'custom', path: ['planCode'], message: 'Send a planCode, or prices of its own.' });
    }
    if (body.billingGroupId !== undefined && !body.align) {
      context.addIssue({
        code: 'custom',
        path: ['align'],
        message: 'align: false opens a group of its own. Leave billingGroupId out.',
      });
    }
  })
  .meta({
    id: 'NewSubscription',
    oneOf: [{ required: ['planCode'] }, { required: ['prices'] }],
    allOf: [
      ...EXCLUSIVE.map((pair) => ({ not: { required: [...pair] } })),
      { not: { required: ['billingGroupId', 'align'], properties: { align: { const: false } } } },
    ],
  });

/** A subscription on output. */
export const subscription = z
  .object({
    id: shown.id(),
    customerId: shown.id(),
    planCode: z.string().nullable(),
    planVersion: z.int().nullable(),
    subscriptionType: z.enum(['STANDALONE']),
    status: subscriptionStatus,
    payerCustomerId: shown.id(),
    invoicingCustomerId: shown.id().nullable(),
    billingGroupId: shown.id(),
    billingEntityId: shown.id(),
    currency: z.string(),
    timezone: z.string(),
    startAt: shown.instant(),
    trialEndsAt: shown.instant().nullable(),
    currentPeriodStart: shown.instant().nullable(),
    currentPeriodEnd: shown.instant().nullable(),
    nextBillingAt: shown.instant().nullable(),
    cancelAt: shown.instant().nullable(),
    canceledAt: shown.instant().nullable(),
    endedAt: shown.instant().nullable(),
    proration: z.enum(['DAY', 'SECOND']),
    align: z.boolean(),
    midCycleCharges: midCycleCharges.nullable(),
    shippingAddress: shown.address().nullable(),
    items: z.array(z.object({ priceCode: z.string(), quantity: shown.decimal(), price: shownPrice })),
    createdAt: shown.instant(),
  })
  .meta({ id: 'Subscription' });
