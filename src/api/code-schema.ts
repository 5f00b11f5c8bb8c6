import { z } from 'zod';

const CONTROL = String.raw`\u0000-\u001f\u007f-\u009f`;
const SPACE = String.raw`\s\ufeff`;

/** A whole text without control characters, as a regular expression. */
export const NO_CONTROL = `^[^${CONTROL}]*$`;

/** A code that people choose, such as `PRO` or `seat`: 1 to 100 characters, told apart by capitals, no space at either end. */
export const code = () =>
  z
    .string()
    .min(1, 'Empty. Send a code such as "PRO".')
    .max(100, 'Too long: at most 100 characters.')
    .refine((text) => text === text.trim(), 'Begins or ends with a space; remove it.')
    .refine((text) => !/\p{Cc}/u.test(text), 'Holds a control character; remove it.')
    .meta({
      examples: ['PRO'],
      pattern: `^[^${SPACE}${CONTROL}]([^${CONTROL}]*[^${SPACE}${CONTROL}])?$`,
    });
