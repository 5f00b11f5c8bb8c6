import { styleText } from 'node:util';
import Table from 'cli-table3';

/** Widest line that the demo prints. */
export const WIDTH = 100;

/** Styles vanish when the output is no terminal, or when NO_COLOR is set. */
export const bold = (text: string): string => styleText('bold', text);
export const dim = (text: string): string => styleText('dim', text);
export const green = (text: string): string => styleText('green', text);
export const yellow = (text: string): string => styleText('yellow', text);
export const red = (text: string): string => styleText('red', text);

/** An amount with its thousands set apart: `1,234.50`, `-75.00`, `11,000`. */
export function grouped(amount: string): string {
  const [whole = '', fraction] = amount.split('.');
  const spaced = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

/** An amount with its currency behind it: `1,234.50 USD`. */
export const money = (amount: string, currency: string): string => `${grouped(amount)} ${currency}`;

/** An amount, or nothing where it is zero: a table is easier to read without zeros. */
export const unlessZero = (amount: string): string => (/[1-9]/.test(amount) ? grouped(amount) : '');

/** A heading with a rule as wide as the page. */
export const heading = (text: string): string => `\n${bold(text)}\n${dim('─'.repeat(WIDTH))}`;

interface Column {
  readonly head: string;
  readonly align?: 'left' | 'right';
}

const NO_BORDER = Object.fromEntries(
  ['top', 'bottom', 'left', 'right'].flatMap((side) =>
    [side, `${side}-mid`, `${side}-left`, `${side}-right`].map((name) => [name, '']),
  ),
);

/**
 * A table without borders: heads, a rule, rows; with `totals` a second rule above the last row.
 *
 * @param gap columns of space between two cells.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: { totals?: boolean; gap?: number } = {},
): string {
  const gap = ' '.repeat(options.gap ?? 2);
  const drawn = new Table({
    head: columns.map(({ head, align }) => bold(align === 'right' ? head : head)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    chars: { ...NO_BORDER, mid: '─', 'mid-mid': gap, 'left-mid': '', 'right-mid': '', middle: gap },
  });
  drawn.push(...rows.map((row) => [...row]));
  const lines = drawn.toString().split('\n');
  const rules = lines.flatMap((line, index) => (isRule(line) ? [index] : []));
  const kept = new Set([rules[0], ...(options.totals === true ? [rules.at(-1)] : [])]);
  return lines
    .filter((line, index) => !isRule(line) || kept.has(index))
    .map((line) => (isRule(line) ? dim(line) : line).trimEnd())
    .join('\n');
}

const isRule = (line: string): boolean => /^[─ ]*─[─ ]*$/.test(line);

/** Words in lines of at most the page's width, the later ones indented like the first. */
export function wrapped(words: readonly string[], indent: string, separator = ' · '): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + separator.length + word.length <= WIDTH)
      lines[lines.length - 1] = last + separator + word;
    else lines.push(indent + word);
  }
  return lines.join('\n');
}

/** Prints one block. The demo writes to standard output and nowhere else. */
export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
