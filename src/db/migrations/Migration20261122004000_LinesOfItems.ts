import { Migration } from '@mikro-orm/migrations';

/** Lines of an item are found among those of its subscription: one index less to be written for every line. */
export class Migration20261122004000_LinesOfItems extends Migration {
  override name = 'Migration20261122004000_LinesOfItems';

  override up(): void {
    this.addSql(`drop index invoice_lines_item`);
  }
}
