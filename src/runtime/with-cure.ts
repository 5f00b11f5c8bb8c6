/** Runs a step of a start; when it fails, says what failed, why, and what to do, in one line. */
export async function withCure<T>(what: string, cure: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    throw new Error(`${what}: ${reasonOf(cause)}. ${cure}`, { cause });
  }
}

/** Several connections that failed at once carry their reasons inside. */
function reasonOf(cause: unknown): string {
  const text =
    cause instanceof AggregateError && cause.message === ''
      ? cause.errors.map(reasonOf).join('; ')
      : cause instanceof Error
        ? cause.message
        : String(cause);
  return text.replaceAll(/\s+/g, ' ').replace(/\.$/, '');
}
