/** A setting that a process of its own cannot do without; `npm start` alone starts what is missing. */
export function required<T>(setting: T | null, variable: string): T {
  if (setting !== null) return setting;
  throw new Error(`${variable} is not set. Set it, or use npm start, which brings everything along.`);
}
