/**
 * How what has to succeed some day is tried again: after a second, then ever more seldom, and at least every quarter of a minute, so that
 * after a database that was long away everything goes on soon.
 */
export const UNTIL_DONE = { initialInterval: '1 second', maximumInterval: '15 seconds' } as const;
