import type { z } from 'zod';
import type { Fault } from '../domain/errors.ts';
import { ApiProblem } from './problem.ts';

const FAULTS_MAX = 50;
const DEPTH_MAX = 32;

/**
 * Reads a value by its schema.
 *
 * @param where what is read, for the message when it is wrong as a whole: `body`, `query`.
 * @throws      400 with every fault: its path such as `prices[0].amount` and how to mend it.
 */
export function read<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const unstorable = textFaults(value);
  if (unstorable.length > 0) throw invalid(unstorable, where, null);
  const result = schema.safeParse(value, { error: explain });
  if (result.success) return result.data;
  const issues = result.error.issues.flatMap((issue) => flatten(issue, []));
  throw invalid(issues.flatMap(toFaults), where, codeOf(issues));
}

function invalid(faults: readonly Fault[], where: string, code: string | null): ApiProblem {
  const shown = faults.slice(0, FAULTS_MAX);
  const [first] = shown;
  const named = first === undefined || code !== null ? '' : `${first.path === '' ? `The ${where}` : first.path}: `;
  const detail =
    faults.length === 1 && first !== undefined
      ? `${named}${first.message}`
      : `${faults.length} fields are wrong: ${shown.map(({ path }) => path || `the ${where}`).join(', ')}.`;
  return new ApiProblem(400, code ?? 'request.invalid', detail, { faults: shown });
}

/** A schema may name the code of its refusal; it is the answer's when all faults share it. */
function codeOf(issues: readonly z.core.$ZodIssue[]): string | null {
  const codes = new Set(issues.map((issue) => (issue.code === 'custom' ? issue.params?.['code'] : undefined)));
  const [code] = codes;
  return codes.size === 1 && typeof code === 'string' ? code : null;
}

/** Of a union, the branch that came closest is reported: the one whose faults lie deepest, then the one with fewest. */
function flatten(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): z.core.$ZodIssue[] {
  const path = [...prefix, ...issue.path];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ ...issue, path }];
  const branches = issue.errors.map((branch) => branch.flatMap((inner) => flatten(inner, path)));
  const depth = (branch: z.core.$ZodIssue[]) => Math.max(0, ...branch.map((inner) => inner.path.length));
  return branches.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0] ?? [];
}

function toFaults(issue: z.core.$ZodIssue): Fault[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: pathOf(issue.path), message: issue.message }];
  return issue.keys.map((key) => ({
    path: pathOf([...issue.path, key]),
    message: 'Unknown field. Check its spelling, or leave it out.',
  }));
}

/** `['prices', 0, 'amount']` reads `prices[0].amount`. */
export const pathOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');

/** Messages that name the cure, for schemas that bring none of their own. */
const explain: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return `Required: send ${article(issue.expected)}.`;
    return `Expected ${article(issue.expected)}, got ${nameOf(issue.input)}.`;
  }
  if (issue.code === 'invalid_union') return 'It has none of the accepted forms.';
  return undefined;
};

const article = (expected: string): string => {
  const noun = { int: 'whole number', record: 'object', undefined: 'nothing' }[expected] ?? expected;
  return noun === 'nothing' ? noun : `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
};

const nameOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : article(typeof value);
};

/** Text that PostgreSQL cannot store (NUL, half a surrogate pair) and nesting without end, wherever they stand. */
function textFaults(value: unknown, path: readonly PropertyKey[] = []): Fault[] {
  if (typeof value === 'string') {
    return isStorable(value) ? [] : [{ path: pathOf(path), message: 'Holds a NUL byte or broken Unicode; remove it.' }];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (path.length >= DEPTH_MAX) return [{ path: pathOf(path), message: `Nested deeper than ${DEPTH_MAX} levels.` }];
  return Object.entries(value).flatMap(([key, inner]) => {
    const step = Array.isArray(value) ? Number(key) : key;
    if (typeof step === 'string' && (!isStorable(step) || step === '__proto__')) {
      return [{ path: pathOf([...path, JSON.stringify(step)]), message: 'Not a possible name of a field; remove it.' }];
    }
    return textFaults(inner, [...path, step]);
  });
}

const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
