import { expect, test } from 'vitest';
import { payableFrom, subscriptionStatus } from '../../../src/domain/subscription/status.ts';

const day = (date: string) => `2026-03-${date}T12:00:00.000Z`;

//   5 March             10 March            15 March             20 March
//   | SCHEDULED         [ TRIALING          [ ACTIVE             [ CANCELED
// prettier-ignore
test.each([
  { when: 'before its start',                 now: day('09'), trialEndsAt: day('15'), endAt: day('20'), is: 'SCHEDULED' },
  { when: 'at its start, in trial',           now: day('10'), trialEndsAt: day('15'), endAt: day('20'), is: 'TRIALING'  },
  { when: 'at the end of the trial',          now: day('15'), trialEndsAt: day('15'), endAt: day('20'), is: 'ACTIVE'    },
  { when: 'at its start, without trial',      now: day('10'), trialEndsAt: null,      endAt: null,      is: 'ACTIVE'    },
  { when: 'at its end',                       now: day('20'), trialEndsAt: day('15'), endAt: day('20'), is: 'CANCELED'  },
  { when: 'just before its end',              now: day('19'), trialEndsAt: day('15'), endAt: day('20'), is: 'ACTIVE'    },
  { when: 'canceled in its trial',            now: day('13'), trialEndsAt: day('15'), endAt: day('13'), is: 'CANCELED'  },
  { when: 'canceled before it began, at once', now: day('05'), trialEndsAt: null,     endAt: day('10'), is: 'CANCELED'  },
] as const)('$when it is $is', ({ now, trialEndsAt, endAt, is }) => {
  expect(subscriptionStatus({ startAt: day('10'), trialEndsAt, endAt }, now)).toBe(is);
});

// prettier-ignore
test.each([
  { what: 'without trial from its start',          trialEndsAt: null,      from: day('10') },
  { what: 'from the end of its trial (RP7)',       trialEndsAt: day('15'), from: day('15') },
  { what: 'from its start when the trial is over', trialEndsAt: day('09'), from: day('10') },
])('it is paid for $what', ({ trialEndsAt, from }) => {
  expect(payableFrom({ startAt: day('10'), trialEndsAt })).toBe(from);
});
