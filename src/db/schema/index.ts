import { Coupon, CouponRedemption, CouponReservation, CreditGrant, CreditReservation } from './adjustments.table.ts';
import { Plan, PlanVersion, PriceRow } from './catalog.table.ts';
import { Claim, OneTimeCharge } from './charges.table.ts';
import { Customer, CustomerAlias, CustomerContact, CustomerParent } from './customers.table.ts';
import { BillingEntity, NumberStream, TaxRate } from './entities.table.ts';
import { BillingGroup, BillingRun, GroupSchedule, RunOutcome, SkippedBoundary } from './groups.table.ts';
import { Invoice, InvoiceAccount, InvoiceLine, InvoiceTax, LineDiscount, LineTax, Payment } from './invoices.table.ts';
import { LedgerEntry, LedgerPosting } from './ledger.table.ts';
import {
  GroupMembership,
  ItemTerms,
  Subscription,
  SubscriptionItem,
  SubscriptionPayer,
} from './subscriptions.table.ts';
import { ApiKey, AuditEvent, IdempotencyKey, OutboxMessage, Tenant, TestClock } from './tenancy.table.ts';

/** Every table, listed explicitly: what is not here does not exist for the ORM or for a migration. */
export const tables = [
  Tenant,
  ApiKey,
  TestClock,
  IdempotencyKey,
  AuditEvent,
  OutboxMessage,
  BillingEntity,
  NumberStream,
  TaxRate,
  Customer,
  CustomerParent,
  CustomerAlias,
  CustomerContact,
  Plan,
  PlanVersion,
  PriceRow,
  Subscription,
  SubscriptionItem,
  ItemTerms,
  SubscriptionPayer,
  GroupMembership,
  BillingGroup,
  GroupSchedule,
  SkippedBoundary,
  BillingRun,
  RunOutcome,
  OneTimeCharge,
  Claim,
  Invoice,
  InvoiceLine,
  LineDiscount,
  LineTax,
  InvoiceTax,
  InvoiceAccount,
  Payment,
  Coupon,
  CouponRedemption,
  CouponReservation,
  CreditGrant,
  CreditReservation,
  LedgerEntry,
  LedgerPosting,
] as const;
