import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from './report.ts';

const FOLDER = join(import.meta.dirname, '..', 'docs', 'performance');

/**
 * Writes what a measurement found to `docs/performance/<name>.md`, in the place of what it found before.
 *
 * @param facts  what the figures hold for: versions, cores, the day.
 */
export async function keepFindings(name: string, findings: readonly Finding[], facts: string): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const parts = [
    `# Measured: ${name}`,
    `\`npm run bench -- ${name} --keep\` wrote this page. ${facts}`,
    ...findings.flatMap((finding) => [`${finding.title}:`, markdownTable(finding)]),
  ];
  await writeFile(join(FOLDER, `${name}.md`), `${parts.join('\n\n')}\n`);
}

/** As the formatter would lay it out: padded, so that it can be read as it is. */
function markdownTable({ columns, rows }: Finding): string {
  const cells = [columns, ...rows].map((row) => row.map((cell) => cell.trim().replaceAll('|', '\\|')));
  const widths = columns.map((_, index) => Math.max(3, ...cells.map((row) => row[index]?.length ?? 0)));
  const pad = (cell: string, index: number) =>
    index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0);
  const line = (row: readonly string[]) => `| ${row.map(pad).join(' | ')} |`;
  const rule = `| ${widths.map((width, index) => (index === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), rule, ...body.map(line)].join('\n');
}
