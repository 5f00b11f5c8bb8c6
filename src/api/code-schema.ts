import { z } from 'zod';

/** A code that people choose, such as `PRO` or `seat`: 1 to 100 characters, told apart by capitals, no space at either end. */
export const code = () =>
  z
    .string()
    .min(1, 'Empty. Send a code such as "PRO".')
    .max(100, 'Too long: at most 100 characters.')
    .regex(/^(?!\s)\P{Cc}*(?<!\s)$/u, 'Holds a control character, or a space at an end; remove it.')
    .meta({ examples: ['PRO'] });
