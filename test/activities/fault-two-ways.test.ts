import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import type { Books } from '../faults/support/books.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { quietLog } from '../support/database.ts';
import { BEFORE_COMMIT, crashing } from './broken-database.ts';
import { type Carry, whileCalled } from './faults.ts';
import { type Bill, fullWorld, liveThrough, undisturbed } from './lives.ts';
import { activitiesOn, STEPS } from './steps.ts';
import { type Due, WAYS } from './ways.ts';

const clock = { now: () => '2026-06-01T12:00:00.000Z' };
let api: TestApi;
let other: Database;
let expected: Books;
beforeAll(async () => {
  api = await startTestApi({ clock });
  other = await openDatabase({ ownerUrl: api.db.ownerUrl, log: quietLog, poolSize: 6, clock });
  expected = await liveThrough(api, fullWorld, WAYS['step by step'], undisturbed(api));
});
afterAll(async () => {
  await other.close();
  await api.close();
});

const stepByStep = WAYS['step by step'];

/** Asks for all that is due at once, as the groups' workflows do. */
const advanceAll = async (by: Database, { tenantId, groupIds }: Due): Promise<void> => {
  const { advanceGroup } = activitiesOn(by);
  const outcomes = await Promise.allSettled(groupIds.map((groupId) => advanceGroup({ tenantId, groupId })));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason as Error;
};

/** Step by step, with something more that happens at each call. */
const disturbed =
  (disturb: (due: Due) => Carry): Bill =>
  (due) =>
    stepByStep(due, disturb(due));

describe('a run that is carried out in one transaction and step by step', () => {
  test('goes by steps when each transaction for the whole has failed', async () => {
    const bill: Bill = async (due, carry) => {
      if (due.groupIds.length > 0)
        await expect(advanceAll(crashing(api.db.database), due)).rejects.toThrow(BEFORE_COMMIT);
      await stepByStep(due, carry);
    };
    expect(await liveThrough(api, fullWorld, bill, undisturbed(api))).toEqual(expected);
  });

  test('is done once when that for the whole was given up, and is still at work as the steps begin', async () => {
    const bill = disturbed((due) => (call) => {
      if (call.activity !== 'planNextStep') return call.perform(api.db.database);
      const late = {
        activity: 'advanceGroup',
        tenantId: call.tenantId,
        perform: (by: Database) => advanceAll(by, due),
      };
      return whileCalled(api.db, late, () => call.perform(other));
    });
    expect(await liveThrough(api, fullWorld, bill, undisturbed(api))).toEqual(expected);
  });

  test.each(STEPS)('is done once when that for the whole comes while %s is at work', async (step) => {
    let struck = 0;
    const bill = disturbed((due) => async (call) => {
      if (call.activity === step) {
        struck += 1;
        await whileCalled(api.db, call, () => advanceAll(other, due));
      }
      return call.perform(api.db.database);
    });
    expect(await liveThrough(api, fullWorld, bill, undisturbed(api))).toEqual(expected);
    expect(struck).toBeGreaterThan(3);
  });

  test.each(['planNextStep', ...STEPS])(
    'is gone on with in one transaction when %s was the last step',
    async (last) => {
      // A worker that dies between two steps: its workflow goes on elsewhere, with the whole.
      const bill: Bill = async (due, carry) => {
        let isDead = false;
        const dying: Carry = async (call) => {
          if (isDead) throw new Error('dead');
          const answer = await carry(call);
          isDead = call.activity === last;
          return answer;
        };
        await stepByStep(due, dying).catch((error: unknown) => expect((error as Error).message).toBe('dead'));
        await WAYS['in one transaction of several groups'](due, carry);
      };
      expect(await liveThrough(api, fullWorld, bill, undisturbed(api))).toEqual(expected);
    },
  );
});
