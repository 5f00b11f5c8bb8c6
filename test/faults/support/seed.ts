import fc from 'fast-check';

/**
 * The seed of a test file's chances: TEST_SEED of the environment, else one of its own for every run. It is printed, so that
 * a failure can be had again: `TEST_SEED=… npm run test:faults -- <file>`.
 */
export function seedOf(what: string): number {
  const given = Number(process.env['TEST_SEED']);
  const seed = Number.isInteger(given) && given > 0 ? given : Math.floor(Math.random() * 1_000_000) + 1;
  process.stderr.write(`${what}: TEST_SEED=${seed}\n`);
  return seed;
}

/** Whole numbers from 0 to `max`, the same ones for the same seed. */
export function* chances(seed: number, max: number): Generator<number, never> {
  for (let round = 0; ; round += 1) yield* fc.sample(fc.integer({ min: 0, max }), { seed: seed + round, numRuns: 100 });
}
