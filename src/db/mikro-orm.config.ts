import { Migrator } from '@mikro-orm/migrations';
import { defineConfig } from '@mikro-orm/postgresql';
import { readConfig } from '../config.ts';
import { ormOptions } from './orm-options.ts';

/** What the MikroORM command line uses: `npm run migration:create` against the database of `DATABASE_URL`. */
export default defineConfig({
  ...ormOptions({
    url: readConfig().databaseUrl ?? 'postgresql://postgres@127.0.0.1:5432/tributary',
    poolSize: 1,
    unlimited: true,
  }),
  extensions: [Migrator],
});
