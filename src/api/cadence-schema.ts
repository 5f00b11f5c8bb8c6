import { z } from 'zod';
import { wholeNumber } from './schemas.ts';

const interval = z.enum(['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR']);
const COUNT_MAX = 1000;

const sent = z
  .strictObject({ interval, count: wholeNumber(1, COUNT_MAX).default(1) })
  .meta({ id: 'CadenceInput', description: 'Every `count` intervals.', examples: [{ interval: 'MONTH', count: 1 }] });

/** How often: every `count` (1 unless sent, up to 1000) intervals. */
export const cadence = () => sent;

const shownOne = z.object({ interval, count: z.int() }).meta({ id: 'Cadence' });

/** A cadence on output. */
export const shownCadence = () => shownOne;
