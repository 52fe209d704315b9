/** Layers of protection as text: a mark, a name, what it means, and how to get what is missing. */
import { styleText } from 'node:util';
import type { Finding, FindingGroup } from '../compose/doctor/finding.ts';
import { oneLine, widthOf, wrap } from './lines.ts';

export interface TextOptions {
  readonly width: number;
  readonly colour: boolean;
}

export function showFindings(groups: readonly FindingGroup[], { width, colour }: TextOptions): string {
  const all = groups.flatMap(({ findings }) => findings);
  const nameWidth = Math.max(...all.map(({ name }) => widthOf(name)));
  const margin = ' '.repeat(MARK_WIDTH + nameWidth + 2 * GAP.length);
  const lines: string[] = [];
  for (const { title, findings } of groups) {
    if (findings.length === 0) continue;
    lines.push(...wrap(title, '', width));
    for (const { name, state, meaning, remedy } of findings) {
      const mark = MARKS[state];
      const head = `${GAP}${mark.text.padEnd(MARK_WIDTH)}${name.padEnd(nameWidth)}${GAP}`;
      const [first = '', ...rest] = wrap(oneLine(meaning), margin, width);
      lines.push(paint(mark, head, colour) + first.slice(margin.length), ...rest);
      if (remedy !== undefined) lines.push(...wrap(`→ ${oneLine(remedy)}`, margin, width));
    }
    lines.push('');
  }
  return `${lines.join('\n')}${sumUp(all)}\n`;
}

const GAP = '  ';
const MARK_WIDTH = 6;

interface Mark {
  readonly text: string;
  readonly style: 'green' | 'yellow' | 'red';
}

const MARKS: Readonly<Record<Finding['state'], Mark>> = {
  on: { text: 'on', style: 'green' },
  off: { text: 'off', style: 'yellow' },
  failed: { text: 'FAIL', style: 'red' },
};

function paint({ text, style }: Mark, head: string, colour: boolean): string {
  return colour ? head.replace(text, () => styleText(style, text, { validateStream: false })) : head;
}

export function sumUp(findings: readonly Finding[]): string {
  const count = (state: Finding['state']): number => findings.filter((finding) => finding.state === state).length;
  const missing = count('failed');
  const words = [`${count('on')} on`, `${count('off')} off`, ...(missing === 0 ? [] : [`${missing} FAIL`])];
  return `${words.join(', ')}.`;
}
