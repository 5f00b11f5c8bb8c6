import { table } from '../demo/layout.ts';

/** What one measurement found: a title, what it compares with, and rows of texts. */
export interface Finding {
  readonly title: string;
  /** The first is left-aligned, the others right. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A finding as an aligned table. */
export const draw = ({ title, columns, rows }: Finding): string =>
  `\n${title}\n\n${table(
    columns.map((head, index) => ({ head, align: index === 0 ? ('left' as const) : ('right' as const) })),
    rows,
  )}`;

/** `1 234`. */
export const whole = (value: number): string =>
  Math.round(value)
    .toString()
    .replaceAll(/\B(?=(\d{3})+$)/g, ' ');

/** `×2.50`, `×25`, `×250`: how many times as much. */
export const times = (value: number, compared: number): string => {
  const ratio = value / compared;
  return `×${ratio < 9.995 ? ratio.toFixed(2) : whole(ratio)}`;
};

/** The one in the middle by a number; of an even count the greater of two. */
export const middleOf = <T>(measured: readonly T[], by: (one: T) => number): T =>
  measured.toSorted((a, b) => by(a) - by(b))[Math.floor(measured.length / 2)] as T;

/** How long some work takes, in milliseconds. */
export async function timed<T>(work: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const began = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - began };
}

/** Work for each of many, so many at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of left) await work(item);
    }),
  );
}
