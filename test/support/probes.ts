import { z } from 'zod';
import { fileAnswer, noContent, route } from '../../src/api/route.ts';
import { instant, money, quantity, shown, text } from '../../src/api/schemas.ts';
import { audit } from '../../src/db/audit.ts';
import { BillingError } from '../../src/domain/errors.ts';

/** Where a handler that was told to wait waits, until the test opens it. */
export const door = {
  wait: Promise.resolve(),
  open: () => {},
  reached: Promise.resolve(),
  knock: () => {},
  /** A closed one, for the next test. */
  close() {
    ({ promise: this.wait, resolve: this.open } = Promise.withResolvers<void>());
    ({ promise: this.reached, resolve: this.knock } = Promise.withResolvers<void>());
  },
};

/** How often a handler has crashed as told. */
export const crashes = { count: 0 };

const noted = (subjectId: string) => ({ actor: 'test', action: 'noted', subjectType: 'note', subjectId, detail: {} });

/** Routes that do on purpose what no route of the product does. */
export const probes = [
  route({
    method: 'POST',
    path: '/notes',
    tag: 'Probe',
    summary: 'Write a note, then refuse or crash as told',
    scope: 'write',
    status: 201,
    secret: 'password',
    body: z.strictObject({ id: text(), ending: z.enum(['answer', 'refuse', 'crash', 'wait']).default('answer') }),
    response: z.object({ id: z.string(), password: z.string().nullable(), zulu: z.int(), alpha: z.int() }),
    handler: async ({ tx, body }) => {
      await audit(tx, noted(body.id));
      if (body.ending === 'refuse') throw new BillingError('customer.cycle', 'A → B → A');
      if (body.ending === 'crash') {
        crashes.count += 1;
        throw new Error('select secret from internals');
      }
      if (body.ending === 'wait') {
        door.knock();
        await door.wait;
      }
      return { id: body.id, password: 'shown once', zulu: 1, alpha: 2 };
    },
  }),
  route({
    method: 'POST',
    path: '/previews',
    tag: 'Probe',
    summary: 'A read by POST',
    scope: 'read',
    body: z.strictObject({
      amount: money(),
      at: instant(),
      quantity: quantity().optional(),
      write: z.boolean().optional(),
    }),
    response: z.object({ amount: shown.amount(), at: shown.instant(), quantity: z.string().optional() }),
    handler: async ({ tx, body: { write, ...shownBody } }) => {
      if (write === true) await audit(tx, noted('preview'));
      return shownBody as { amount: string; at: string };
    },
  }),
  route({
    method: 'GET',
    path: '/documents/:name',
    tag: 'Probe',
    summary: 'A document',
    scope: 'public',
    produces: 'text/csv',
    response: fileAnswer,
    handler: async ({ params }) => ({ content: `name\n${params.name}\n`, filename: 'names.csv' }),
  }),
  route({
    method: 'DELETE',
    path: '/notes/:id',
    tag: 'Probe',
    summary: 'x',
    scope: 'admin',
    status: 204,
    response: noContent,
    handler: async () => {},
  }),
  route({
    method: 'PUT',
    path: '/notes/:id',
    tag: 'Probe',
    summary: 'x',
    scope: 'write',
    body: z.strictObject({ text: text(10).optional() }),
    response: z.object({ id: z.string() }),
    handler: async ({ params }) => ({ id: params.id }),
  }),
];
