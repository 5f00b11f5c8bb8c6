import { expect, test } from 'vitest';
import { decideAdvance } from '../../../src/domain/test-clock/advance.ts';

const nowAt = '2026-08-01T00:00:00.000Z';
const targetAt = '2026-09-01T00:00:00.000Z';
const before = '2026-07-31T23:59:59.999Z';
const after = '2026-10-01T00:00:00.000Z';

// prettier-ignore
test.each([
  { status: 'READY',     to: nowAt,    answer: 'START'     },
  { status: 'READY',     to: after,    answer: 'START'     },
  { status: 'FAILED',    to: nowAt,    answer: 'START'     },
  { status: 'FAILED',    to: targetAt, answer: 'START'     },
  { status: 'ADVANCING', to: targetAt, answer: 'UNDER_WAY' },
] as const)('a clock that is $status, sent to $to: $answer', ({ status, to, answer }) => {
  expect(decideAdvance({ status, nowAt, targetAt }, to)).toBe(answer);
});

// prettier-ignore
test.each([
  { status: 'READY',     to: before, code: 'clock.backwards' },
  { status: 'FAILED',    to: before, code: 'clock.backwards' },
  { status: 'ADVANCING', to: before, code: 'clock.backwards' },
  { status: 'ADVANCING', to: nowAt,  code: 'clock.busy'      },
  { status: 'ADVANCING', to: after,  code: 'clock.busy'      },
] as const)('a clock that is $status, sent to $to, refuses: $code', ({ status, to, code }) => {
  expect(() => decideAdvance({ status, nowAt, targetAt }, to)).toThrow(expect.objectContaining({ code }));
});
