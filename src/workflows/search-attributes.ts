import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** What an operator searches workflows by in the Temporal UI. */
export const SEARCH_ATTRIBUTES = {
  tenant: defineSearchAttributeKey('TributaryTenant', SearchAttributeType.KEYWORD),
  entity: defineSearchAttributeKey('TributaryEntity', SearchAttributeType.KEYWORD),
  group: defineSearchAttributeKey('TributaryGroup', SearchAttributeType.KEYWORD),
  payer: defineSearchAttributeKey('TributaryPayer', SearchAttributeType.KEYWORD),
  status: defineSearchAttributeKey('TributaryStatus', SearchAttributeType.KEYWORD),
  nextBilling: defineSearchAttributeKey('TributaryNextBilling', SearchAttributeType.DATETIME),
} as const;
