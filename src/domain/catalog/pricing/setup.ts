import type { Price } from '../price.ts';

/** RP11: a SETUP price is charged once, when its item is added; it is never prorated and never credited. */
export const isChargedOnce = (price: Pick<Price, 'type'>): boolean => price.type === 'SETUP';

/** What a SETUP price adds to the explanation of its amount. */
export const explainSetup = (price: Pick<Price, 'type'>): string[] =>
  isChargedOnce(price) ? ['Setup: charged once, never prorated'] : [];
