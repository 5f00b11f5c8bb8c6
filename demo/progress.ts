import { SingleBar } from 'cli-progress';
import { dim, green, print } from './layout.ts';

/** Shows where the clock is while it moves: a bar on a terminal, nothing elsewhere; notes are printed on both. */
export interface Progress {
  /** The clock stands at `now`, with so many invoices issued. */
  at(now: string, invoices: number): void;
  /** Prints a line above the bar. */
  note(line: string): void;
  stop(): void;
}

/** A bar from one instant to another. */
export function showProgress(from: string, to: string): Progress {
  const length = Date.parse(to) - Date.parse(from);
  let seen = { now: from, invoices: 0 };
  let bar: SingleBar | null = null;
  const draw = (): void => {
    if (!process.stdout.isTTY) return;
    const state = { clock: seen.now.slice(0, 10), invoices: String(seen.invoices).padStart(3) };
    const done = Math.max(0, Date.parse(seen.now) - Date.parse(from));
    if (bar !== null) {
      bar.update(done, state);
      return;
    }
    bar = new SingleBar({
      format: `  ${dim('{clock}')}  ${green('{bar}')}  {percentage} %  {invoices} invoices`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 48,
      stream: process.stdout,
      clearOnComplete: true,
      hideCursor: false,
      gracefulExit: false,
    });
    bar.start(length, done, state);
  };
  const clear = (): void => {
    bar?.stop();
    bar = null;
  };
  return {
    at: (now, invoices) => {
      seen = { now, invoices };
      draw();
    },
    note: (line) => {
      clear();
      print(line);
      draw();
    },
    stop: clear,
  };
}
