import { plusDays, type CalendarDate } from '../calendar.ts';
import { BillingError } from '../errors.ts';

/**
 * The last day on which an invoice can be paid in time (RN7): issue date + Net days, in the pinned zone.
 *
 * @param issueDate        Local date of the issue in the pinned zone (RT6).
 * @param paymentTermsDays Whole calendar days, >= 0; 0 means due at issue.
 * @throws                 `date.invalid` for any other number of days.
 */
export function dueDate(issueDate: CalendarDate, paymentTermsDays: number): CalendarDate {
  if (!Number.isSafeInteger(paymentTermsDays) || paymentTermsDays < 0) {
    throw new BillingError('date.invalid', `Payment terms are whole days from 0, not ${paymentTermsDays}.`);
  }
  return plusDays(issueDate, paymentTermsDays);
}
