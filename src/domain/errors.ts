/**
 * What kind of refusal a code is. The API turns it into a status; a workflow decides by it whether a retry can help.
 *
 * - `invalid`  the request itself is wrong; sending it again changes nothing. `request.invalid` is its form alone,
 *              `request.refused` a well-formed value that another field, or what is stored, does not allow.
 * - `missing`  the thing named does not exist, or is another tenant's.
 * - `conflict` the request is well formed, but the present state refuses it.
 * - `blocked`  a billing run cannot go on until an operator mends the cause.
 */
export type ErrorCategory = 'invalid' | 'missing' | 'conflict' | 'blocked';

/** Every code that a caller can meet. A code is stable: clients match on it, the message may be reworded. */
export const ERROR_CODES = {
  'request.invalid': 'invalid',
  'request.refused': 'invalid',
  'money.invalid': 'invalid',
  'money.scale': 'invalid',
  'currency.unknown': 'invalid',
  'country.unknown': 'invalid',
  'timezone.unknown': 'invalid',
  'date.invalid': 'invalid',
  'schedule.invalid': 'invalid',
  'number_format.invalid': 'invalid',
  'price.invalid': 'invalid',
  'coupon.invalid': 'invalid',
  'tax.invalid': 'invalid',
  'credit.due_negative': 'invalid',
  'allocation.invalid': 'invalid',
  not_found: 'missing',
  conflict: 'conflict',
  'entity.default': 'conflict',
  'entity.archived': 'conflict',
  'entity.suspended': 'conflict',
  'entity.code_taken': 'conflict',
  'entity.numbering_started': 'conflict',
  'entity.immutable': 'conflict',
  'customer.cycle': 'conflict',
  'customer.archived': 'conflict',
  'customer.alias_taken': 'conflict',
  'customer.too_deep': 'conflict',
  'clock.mismatch': 'conflict',
  'clock.live_tenant': 'conflict',
  'clock.backwards': 'conflict',
  'clock.busy': 'conflict',
  'clock.immutable': 'conflict',
  'payer.inactive': 'conflict',
  'group.mismatch': 'conflict',
  'group.closed': 'conflict',
  'group.status': 'conflict',
  'group.none': 'conflict',
  'subscription.status': 'conflict',
  'subscription.payer_immutable': 'conflict',
  'coupon.exhausted': 'conflict',
  'coupon.expired': 'conflict',
  'invoice.status': 'conflict',
  'run.entity_suspended': 'blocked',
  'run.broken_price': 'blocked',
  'run.currency_retired': 'blocked',
  'run.number_repeats': 'blocked',
  'ledger.unbalanced': 'blocked',
} as const satisfies Record<string, ErrorCategory>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One fault in a request: where it is (a path such as `prices[0].amount`) and how to mend it. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/**
 * A refusal: a rule says no, and saying it again gives the same answer. Anything that is not a `BillingError` is weather
 * (a lost connection, a full disk) and may be retried.
 */
export class BillingError extends Error {
  override readonly name = 'BillingError';
  readonly code: ErrorCode;
  readonly faults: readonly Fault[];

  /** @param message what is wrong and how to mend it, for a person. */
  constructor(code: ErrorCode, message: string, faults: readonly Fault[] = []) {
    super(message);
    this.code = code;
    this.faults = faults;
  }

  get category(): ErrorCategory {
    return ERROR_CODES[this.code];
  }
}
