import { Migration } from '@mikro-orm/migrations';

/** Tenants take turns in the outbox, each with its oldest message; what a relay claimed and left is found by its age. */
export class Migration20261121194000_OutboxTurns extends Migration {
  override name = 'Migration20261121194000_OutboxTurns';

  override up(): void {
    this.addSql(
      `create index "outbox_messages_turns" on "outbox_messages" ("tenant_id", "id") where claimed_at is null and delivered_at is null`,
    );
    this.addSql(
      `create index "outbox_messages_claimed" on "outbox_messages" ("claimed_at") where claimed_at is not null and delivered_at is null`,
    );
  }
}
