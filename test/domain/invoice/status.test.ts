import { describe, expect, test } from 'vitest';
import { assertMove, canMove, canVoid, statusAtIssue, type InvoiceStatus } from '../../../src/domain/invoice/status.ts';

const ALL: InvoiceStatus[] = ['DRAFT', 'OPEN', 'PAID', 'VOID', 'UNCOLLECTIBLE'];

describe('moves', () => {
  test('are these and no others', () => {
    const moves = ALL.flatMap((from) => ALL.filter((to) => canMove(from, to)).map((to) => `${from} → ${to}`));
    expect(moves).toEqual([
      'DRAFT → OPEN',
      'OPEN → PAID',
      'OPEN → VOID',
      'OPEN → UNCOLLECTIBLE',
      'PAID → VOID',
      'UNCOLLECTIBLE → PAID',
    ]);
  });

  test('a refusal says which are open', () => {
    expect(() => assertMove('OPEN', 'VOID')).not.toThrow();
    expect(() => assertMove('OPEN', 'DRAFT')).toThrow(
      expect.objectContaining({
        code: 'invoice.status',
        message: 'An invoice that is OPEN cannot become DRAFT; it can become PAID or VOID or UNCOLLECTIBLE.',
      }),
    );
    expect(() => assertMove('VOID', 'OPEN')).toThrow(/nothing; it is final/);
  });
});

// prettier-ignore
test.each<{ status: InvoiceStatus; amountPaid: string; voidable: boolean }>([
  { status: 'DRAFT',         amountPaid: '0.00', voidable: false },
  { status: 'OPEN',          amountPaid: '0.00', voidable: true  },
  { status: 'OPEN',          amountPaid: '0.01', voidable: false },
  { status: 'PAID',          amountPaid: '0.00', voidable: true  },
  { status: 'PAID',          amountPaid: '9.00', voidable: false },
  { status: 'VOID',          amountPaid: '0.00', voidable: false },
  { status: 'UNCOLLECTIBLE', amountPaid: '0.00', voidable: false },
])('$status with $amountPaid paid can be voided: $voidable', ({ status, amountPaid, voidable }) => {
  expect(canVoid({ status, amountPaid })).toBe(voidable);
});

test('an invoice of which nothing is due is paid when it is issued', () => {
  expect([statusAtIssue('0.00'), statusAtIssue('0'), statusAtIssue('0.01')]).toEqual(['PAID', 'PAID', 'OPEN']);
});
