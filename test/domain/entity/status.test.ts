import { expect, test } from 'vitest';
import { nextEntityStatus } from '../../../src/domain/entity/status.ts';

// prettier-ignore
test.each([
  //  action          from         default?  leads to
  ['set-default',   'ACTIVE',    false,    'ACTIVE'],
  ['set-default',   'ACTIVE',    true,     'ACTIVE'],
  ['suspend',       'ACTIVE',    false,    'SUSPENDED'],
  ['reactivate',    'SUSPENDED', false,    'ACTIVE'],
  ['archive',       'ACTIVE',    false,    'ARCHIVED'],
  ['archive',       'SUSPENDED', false,    'ARCHIVED'],
  ['edit',          'ACTIVE',    false,    'ACTIVE'],
  ['edit',          'ACTIVE',    true,     'ACTIVE'],
  ['edit',          'SUSPENDED', false,    'SUSPENDED'],
] as const)('%s of one that is %s (default: %s) leads to %s', (action, status, isDefault, next) => {
  expect(nextEntityStatus({ entityCode: 'EU', status, isDefault }, action)).toBe(next);
});

// prettier-ignore
test.each([
  //  action          from         default?  refuses with
  ['set-default',   'SUSPENDED', false,    'entity.suspended'],
  ['set-default',   'ARCHIVED',  false,    'entity.archived'],
  ['suspend',       'ACTIVE',    true,     'entity.default'],
  ['suspend',       'SUSPENDED', false,    'entity.suspended'],
  ['suspend',       'ARCHIVED',  false,    'entity.archived'],
  ['reactivate',    'ACTIVE',    false,    'conflict'],
  ['reactivate',    'ARCHIVED',  false,    'entity.archived'],
  ['archive',       'ACTIVE',    true,     'entity.default'],
  ['archive',       'ARCHIVED',  false,    'entity.archived'],
  ['edit',          'ARCHIVED',  false,    'entity.archived'],
] as const)('%s of one that is %s (default: %s) refuses with %s', (action, status, isDefault, code) => {
  expect(() => nextEntityStatus({ entityCode: 'EU', status, isDefault }, action)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining('EU') }),
  );
});
