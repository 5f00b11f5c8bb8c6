import { Migration } from '@mikro-orm/migrations';

/** What became of a run's members, as a list for each outcome instead of a row for each member. */
export class Migration20261121150000_RunOutcomes extends Migration {
  override name = 'Migration20261121150000_RunOutcomes';

  override up(): void {
    this.addSql(
      `create table "run_outcomes" ("tenant_id" text not null, "run_id" text not null, "outcome" text not null, "reason" text not null, "subscription_ids" text[] not null, primary key ("tenant_id", "run_id", "outcome", "reason"))`,
    );
    this.addSql(
      `alter table run_outcomes add constraint run_outcomes_run_id_fk foreign key (tenant_id, run_id) references billing_runs (tenant_id, id)`,
    );
    // An owner who is no superuser is bound by forced row-level security too, and would copy nothing.
    this.addSql('alter table run_members disable row level security');
    this.addSql(
      `insert into run_outcomes (tenant_id, run_id, outcome, reason, subscription_ids)
       select tenant_id, run_id, outcome, coalesce(reason, ''), array_agg(subscription_id order by subscription_id)
         from run_members group by 1, 2, 3, 4`,
    );
    this.addSql('drop table run_members');
    this.addSql(`alter table "run_outcomes" enable row level security`);
    this.addSql(`alter table "run_outcomes" force row level security`);
    this.addSql(
      `create policy "own_tenant" on "run_outcomes" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true))`,
    );
  }
}
