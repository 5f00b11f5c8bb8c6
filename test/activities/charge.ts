import type { Database } from '../../src/db/database.ts';
import { newId } from '../../src/db/ids.ts';
import { refreshGroup } from '../../src/db/billing-groups.ts';
import { nowOf } from '../../src/db/time.ts';
import { decimal } from '../../src/domain/money.ts';

/** A one-time charge that waits in a group for its next invoice. */
export const addCharge = (
  database: Database,
  tenantId: string,
  charge: {
    customerId: string;
    groupId: string;
    description: string;
    unitAmount: string;
    quantity?: string;
    chargeOn: string;
    taxCode?: string | null;
  },
): Promise<string> =>
  database.inTenant(tenantId, async (tx) => {
    const group = await tx.db
      .selectFrom('billing_groups')
      .selectAll()
      .where('id', '=', charge.groupId)
      .executeTakeFirstOrThrow();
    const { quantity = '1', unitAmount } = charge;
    const id = newId('chg');
    await tx.db
      .insertInto('one_time_charges')
      .values({
        tenantId,
        id,
        customerId: charge.customerId,
        payerCustomerId: group.payerCustomerId,
        billingGroupId: group.id,
        billingEntityId: group.billingEntityId,
        currency: group.currency,
        description: charge.description,
        quantity,
        unitAmount,
        amount: decimal(unitAmount).times(quantity).toDecimalPlaces(2).toFixed(),
        taxCode: charge.taxCode ?? null,
        timing: 'NEXT_INVOICE',
        chargeOn: charge.chargeOn,
        createdAt: await nowOf(tx, { customerId: charge.customerId }),
      })
      .execute();
    await refreshGroup(tx, group.id);
    return id;
  });
