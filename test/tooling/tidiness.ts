/** One thing that our style forbids, and where. */
export interface Fault {
  readonly file: string;
  /** Counted from 1; 0 is the file's name. */
  readonly line: number;
  readonly reason: string;
}

/** Words that say nothing about what a thing is, anywhere in the name of a file or of a declaration. */
const EMPTY_WORDS = /^(utils?|helpers?|managers?|handlers?|services?|common|misc|temp|tmp|item2)$/;

/** Names that need a qualifier: alone, they could be anything. */
const BARE_NAMES = /^(data|info|process|item2|temp|tmp|obj|val)$/;

const DECLARATION = /^\s*(?:export )?(?:default )?(?:async )?(?:const|let|function|class|interface|type) (\w+)/;
const EXPORTED_FUNCTION = /^export (?:async )?(?:function\*? \w+|const \w+ = (?:<[^=]*>)?(?:async )?\()/;
const UNFINISHED = /\b(TODO|FIXME|HACK)\b/;
const MACHINE_PATH = /['"`](\/root|\/home|\/work|\/Users)\//;
/** The layers in which every exported function tells units, ranges, identities and codes. */
const DOCUMENTED = /^src\/(domain|activities)\//;

/** What the linter cannot say, looked for line by line: the sources are laid out by the formatter, so lines can be trusted. */
export function findFaults(file: string, source: string): Fault[] {
  const lines = source.split('\n');
  const inLines = lines.flatMap((text, index) =>
    reasonsAgainst({ file, text, before: lines[index - 1] ?? '' }).map((reason) => ({ file, line: index + 1, reason })),
  );
  const emptyWord = wordsOf(fileName(file)).find((word) => EMPTY_WORDS.test(word));
  return emptyWord === undefined ? inLines : [{ file, line: 0, reason: `'${emptyWord}' in a file name` }, ...inLines];
}

function reasonsAgainst(place: { file: string; text: string; before: string }): string[] {
  const { file, text, before } = place;
  const reasons: string[] = [];
  const name = DECLARATION.exec(text)?.[1];
  if (name !== undefined && (BARE_NAMES.test(name) || wordsOf(name).some((word) => EMPTY_WORDS.test(word)))) {
    reasons.push(`the name '${name}'`);
  }
  if (DOCUMENTED.test(file) && EXPORTED_FUNCTION.test(text) && !before.trimEnd().endsWith('*/')) {
    reasons.push('an exported function without a doc comment');
  }
  if (UNFINISHED.test(text)) reasons.push('something unfinished');
  if (MACHINE_PATH.test(text)) reasons.push('a path of one machine');
  if (file.startsWith('src/domain/') && text.includes('new Date()')) reasons.push('a clock in the domain');
  return reasons;
}

const fileName = (file: string): string => file.split('/').at(-1) ?? file;

/** `createTaxHelper` and `tax-helper.ts` hold the same words. */
const wordsOf = (name: string): string[] =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
