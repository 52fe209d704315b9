/** Text as a terminal shows it: in lines of a width, with nothing in it that steers. */
import { printable } from '../observability/printable.ts';

export const WIDTH = 100;

/** Boundary: no control character and no second line: it cannot pass for one of ours. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' ').trim());
}

export function widthOf(text: string): number {
  return [...text].length;
}

export function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Broken between words where that is possible; every line starts with the margin. */
export function wrap(text: string, margin: string, width = WIDTH): string[] {
  const room = width - margin.length;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((long) => chunks(long, room))) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > room) {
      lines.push(margin + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  if (line !== '') lines.push(margin + line);
  return lines;
}

function chunks(word: string, size: number): string[] {
  const characters = [...word];
  const parts: string[] = [];
  for (let start = 0; start < characters.length; start += size) {
    parts.push(characters.slice(start, start + size).join(''));
  }
  return parts;
}
