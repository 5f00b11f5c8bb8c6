import { expect, test } from 'vitest';
import { byLength, multipleOf, toStep } from '../../../src/domain/billing-group/cadence.ts';
import { cadence } from './schedules.ts';

// prettier-ignore
test.each([
  { every: cadence('DAY', 10),    unit: 'DAY',   count: 10 },
  { every: cadence('WEEK', 2),    unit: 'DAY',   count: 14 },
  { every: cadence('MONTH'),      unit: 'MONTH', count: 1  },
  { every: cadence('QUARTER', 2), unit: 'MONTH', count: 6  },
  { every: cadence('YEAR'),       unit: 'MONTH', count: 12 },
  { every: cadence('DAY', 1000),  unit: 'DAY',   count: 1000 },
])('every $every.count $every.interval is $count $unit', ({ every, unit, count }) => {
  expect(toStep(every)).toEqual({ unit, count });
});

test.each([0, -1, 1.5, 1001, Number.NaN])('refuses a count of %d', (count) => {
  expect(() => toStep(cadence('MONTH', count))).toThrow(expect.objectContaining({ code: 'schedule.invalid' }));
});

// prettier-ignore
test.each([
  { longer: cadence('QUARTER'),  shorter: cadence('MONTH'),    times: 3    },
  { longer: cadence('YEAR'),     shorter: cadence('QUARTER'),  times: 4    },
  { longer: cadence('YEAR'),     shorter: cadence('MONTH', 5), times: null },
  { longer: cadence('MONTH'),    shorter: cadence('MONTH'),    times: 1    },
  { longer: cadence('MONTH'),    shorter: cadence('QUARTER'),  times: null },
  { longer: cadence('DAY', 14),  shorter: cadence('WEEK'),     times: 2    },
  { longer: cadence('WEEK'),     shorter: cadence('DAY', 7),   times: 1    },
  { longer: cadence('DAY', 10),  shorter: cadence('WEEK'),     times: null },
  { longer: cadence('MONTH'),    shorter: cadence('DAY'),      times: null },
  { longer: cadence('DAY', 365), shorter: cadence('YEAR'),     times: null },
])('every $longer.count $longer.interval is $times times every $shorter.count $shorter.interval', (row) => {
  expect(multipleOf(row.longer, row.shorter)).toBe(row.times);
});

test('orders by length, months beside days', () => {
  const inOrder = [
    cadence('DAY'),
    cadence('WEEK'),
    cadence('DAY', 30),
    cadence('MONTH'),
    cadence('DAY', 31),
    cadence('WEEK', 13),
    cadence('QUARTER'),
    cadence('DAY', 365),
    cadence('YEAR'),
  ];
  expect(inOrder.toReversed().toSorted(byLength)).toEqual(inOrder);
});
