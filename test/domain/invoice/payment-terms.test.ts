import { expect, test } from 'vitest';
import { dueDate } from '../../../src/domain/invoice/payment-terms.ts';

// prettier-ignore
test.each([
  { issueDate: '2026-08-01', days: 0,  due: '2026-08-01' },
  { issueDate: '2026-08-01', days: 30, due: '2026-08-31' },
  { issueDate: '2028-02-15', days: 14, due: '2028-02-29' },
  { issueDate: '2026-12-31', days: 1,  due: '2027-01-01' },
  { issueDate: '2026-03-28', days: 1,  due: '2026-03-29' },
])('issued on $issueDate with Net $days it is due on $due', ({ issueDate, days, due }) => {
  expect(dueDate(issueDate, days)).toBe(due);
});

test.each([-1, 1.5, Number.NaN])('refuses terms of %d days', (days) => {
  expect(() => dueDate('2026-08-01', days)).toThrow(expect.objectContaining({ code: 'date.invalid' }));
});
