import { BillingError } from '../errors.ts';

export type CadenceInterval = 'DAY' | 'WEEK' | 'MONTH' | 'QUARTER' | 'YEAR';

/** How often: every `count` intervals, `count` a whole number from 1. */
export interface Cadence {
  readonly interval: CadenceInterval;
  readonly count: number;
}

/** A cadence in the only two units that the calendar has: days or months. WEEK = 7 DAY; QUARTER = 3, YEAR = 12 MONTH. */
export interface Step {
  readonly unit: 'DAY' | 'MONTH';
  readonly count: number;
}

const STEPS: Record<CadenceInterval, Step> = {
  DAY: { unit: 'DAY', count: 1 },
  WEEK: { unit: 'DAY', count: 7 },
  MONTH: { unit: 'MONTH', count: 1 },
  QUARTER: { unit: 'MONTH', count: 3 },
  YEAR: { unit: 'MONTH', count: 12 },
};

/**
 * The cadence in days or months.
 *
 * @throws `schedule.invalid` when `count` is not a whole number from 1 to 1000, or the interval is none.
 */
export function toStep({ interval, count }: Cadence): Step {
  if (!Number.isInteger(count) || count < 1 || count > 1000) {
    throw new BillingError('schedule.invalid', `A cadence takes a whole count from 1 to 1000, not ${count}.`);
  }
  const step = (STEPS as Partial<Record<string, Step>>)[interval];
  if (step === undefined) {
    throw new BillingError('schedule.invalid', `A cadence is in ${Object.keys(STEPS).join(', ')}, not in ${interval}.`);
  }
  return { unit: step.unit, count: step.count * count };
}

/** How many of `shorter` make one `longer`, or null when they do not make a whole number (RP6). */
export function multipleOf(longer: Cadence, shorter: Cadence): number | null {
  const [a, b] = [toStep(longer), toStep(shorter)];
  return a.unit === b.unit && a.count % b.count === 0 ? a.count / b.count : null;
}

/** Orders cadences by their length, shortest first; a month counts as a twelfth of a year, which is enough to compare. */
export function byLength(a: Cadence, b: Cadence): number {
  return approximateDays(a) - approximateDays(b);
}

const approximateDays = (cadence: Cadence): number => {
  const { unit, count } = toStep(cadence);
  return unit === 'DAY' ? count : count * 30.4375;
};
