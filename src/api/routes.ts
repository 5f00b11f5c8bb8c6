import { apiKeyRoutes } from './api-keys.ts';
import { auditRoutes } from './audit-events.ts';
import { billingEntityRoutes, internalBillingEntityRoutes } from './billing-entities.ts';
import { billingGroupRoutes } from './billing-groups.ts';
import { chargeRoutes } from './charges.ts';
import { couponRedemptionRoutes } from './coupon-redemptions.ts';
import { couponRoutes } from './coupons.ts';
import { creditRoutes } from './credits.ts';
import { customerAliasRoutes } from './customer-aliases.ts';
import { customerContactRoutes } from './customer-contacts.ts';
import { customerRoutes } from './customers.ts';
import { invoiceRoutes } from './invoices.ts';
import { planRoutes } from './plans.ts';
import { priceRoutes } from './prices.ts';
import type { Route } from './route.ts';
import { runRoutes } from './runs.ts';
import { scheduleRoutes } from './schedules.ts';
import { subscriptionRoutes } from './subscriptions.ts';
import { taxRateRoutes } from './tax-rates.ts';
import { tenantRoutes } from './tenants.ts';
import { testClockRoutes } from './test-clocks.ts';

/** Every resource under `/api/v1`. A new one is a line here. */
export const routes: readonly Route[] = [
  ...tenantRoutes,
  ...apiKeyRoutes,
  ...billingEntityRoutes,
  ...customerRoutes,
  ...customerContactRoutes,
  ...customerAliasRoutes,
  ...subscriptionRoutes,
  ...billingGroupRoutes,
  ...chargeRoutes,
  ...runRoutes,
  ...invoiceRoutes,
  ...planRoutes,
  ...priceRoutes,
  ...scheduleRoutes,
  ...couponRoutes,
  ...couponRedemptionRoutes,
  ...creditRoutes,
  ...taxRateRoutes,
  ...testClockRoutes,
  ...auditRoutes,
];

/** Under `/internal/v1`: for services beside this one, with the same keys. */
export const internalRoutes: readonly Route[] = [...internalBillingEntityRoutes];
