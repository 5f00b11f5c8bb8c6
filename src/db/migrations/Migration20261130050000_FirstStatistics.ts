import { Migration } from '@mikro-orm/migrations';

/**
 * Until a table is counted for the first time PostgreSQL takes each tenant for one two-hundredth of it: a few rows, which every
 * index that begins with the tenant finds as well as the key does. Then it reads all that a tenant has for one row, or compares
 * all of it with each of a thousand keys; and connections keep such plans. Here it is told that one tenant may have it all,
 * which keeps to the keys. What is counted later takes the place of this.
 */
export class Migration20261130050000_FirstStatistics extends Migration {
  override name = 'Migration20261130050000_FirstStatistics';

  override up(): void {
    this.addSql(`
      select pg_restore_attribute_stats(
               'schemaname', c.relnamespace::regnamespace::text, 'relname', c.relname::text, 'attname', a.attname::text,
               'inherited', false, 'version', current_setting('server_version_num')::int,
               'null_frac', 0::real, 'avg_width', 31, 'n_distinct', 1::real)
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
         and not exists (select 1 from pg_stats s
                          where s.schemaname = 'public' and s.tablename = c.relname and s.attname = a.attname)`);
  }
}
