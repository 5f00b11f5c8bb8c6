/** A group in a zone: the boundaries that it has, and the five that matter here, the middle three of them missed. */
export interface Place {
  readonly zone: string;
  readonly startDate: string;
  readonly boundaries: readonly [ran: string, ...missed: [string, string, string], next: string];
  readonly issueDate: string;
  /** Its workflow is gone as well when all is up again. */
  readonly losesWorkflow: boolean;
}

/** When all goes down. */
export const DOWN = '2026-02-20T12:00:00.000Z';
/** When it is up again. */
export const UP = '2026-05-10T16:00:00.000Z';

/*
 *        20 Feb                                                         10 May
 *   ──────┤ down ──────┬───────────────────┬──────────────────┬──────────┤ up
 *                  1st missed          2nd missed         3rd missed
 */
export const PLACES: readonly Place[] = [
  {
    // Summer time from 29 March on: between the first and the second.
    zone: 'Europe/Berlin',
    startDate: '2026-02-01',
    boundaries: [
      '2026-01-31T23:00:00.000Z',
      '2026-02-28T23:00:00.000Z',
      '2026-03-31T22:00:00.000Z',
      '2026-04-30T22:00:00.000Z',
      '2026-05-31T22:00:00.000Z',
    ],
    issueDate: '2026-05-10',
    losesWorkflow: false,
  },
  {
    zone: 'America/New_York',
    startDate: '2026-02-01',
    boundaries: [
      '2026-02-01T05:00:00.000Z',
      '2026-03-01T05:00:00.000Z',
      '2026-04-01T04:00:00.000Z',
      '2026-05-01T04:00:00.000Z',
      '2026-06-01T04:00:00.000Z',
    ],
    issueDate: '2026-05-10',
    losesWorkflow: true,
  },
  {
    // On 8 March there is no midnight: the day begins at 01:00.
    zone: 'America/Havana',
    startDate: '2026-02-08',
    boundaries: [
      '2026-02-08T05:00:00.000Z',
      '2026-03-08T05:00:00.000Z',
      '2026-04-08T04:00:00.000Z',
      '2026-05-08T04:00:00.000Z',
      '2026-06-08T04:00:00.000Z',
    ],
    issueDate: '2026-05-10',
    losesWorkflow: false,
  },
  {
    // On 24 April there is no midnight.
    zone: 'Africa/Cairo',
    startDate: '2026-01-24',
    boundaries: [
      '2026-01-23T22:00:00.000Z',
      '2026-02-23T22:00:00.000Z',
      '2026-03-23T22:00:00.000Z',
      '2026-04-23T22:00:00.000Z',
      '2026-05-23T21:00:00.000Z',
    ],
    issueDate: '2026-05-10',
    losesWorkflow: true,
  },
  {
    // It is the 11th already when all is up again.
    zone: 'Asia/Tokyo',
    startDate: '2026-02-01',
    boundaries: [
      '2026-01-31T15:00:00.000Z',
      '2026-02-28T15:00:00.000Z',
      '2026-03-31T15:00:00.000Z',
      '2026-04-30T15:00:00.000Z',
      '2026-05-31T15:00:00.000Z',
    ],
    issueDate: '2026-05-11',
    losesWorkflow: false,
  },
];
