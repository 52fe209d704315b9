/** Aligned columns that fit the terminal; what does not fit is cut, the widest column first. */
import { cut, oneLine, WIDTH, widthOf, wrap } from './lines.ts';

export interface TableRow {
  readonly cells: readonly string[];
  /** More about this row, below it. */
  readonly notes?: readonly string[];
}

const GAP = '  ';
const MARGIN = '    ';

/** Cells and notes may be anybody's words. */
export function table(titles: readonly string[], rows: readonly TableRow[], width = WIDTH): string {
  const shown = rows.map(({ cells, notes = [] }) => ({ cells: cells.map(oneLine), notes: notes.map(oneLine) }));
  const widths = fit([titles, ...shown.map(({ cells }) => cells)], width);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => pad(cut(cell, widths[index] ?? 0), widths[index] ?? 0))
      .join(GAP)
      .trimEnd();
  const lines = [line(titles)];
  for (const { cells, notes } of shown) {
    lines.push(line(cells), ...notes.flatMap((note) => wrap(note, MARGIN, width)));
  }
  return `${lines.join('\n')}\n`;
}

function fit(rows: readonly (readonly string[])[], width: number): number[] {
  const count = rows[0]?.length ?? 0;
  const widths = Array.from({ length: count }, (_none, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const room = width - GAP.length * (count - 1);
  let over = widths.reduce((sum, each) => sum + each, 0) - room;
  while (over > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    const next = Math.max(...widths.filter((_each, column) => column !== widest), 1);
    const less = Math.min(over, Math.max(1, (widths[widest] ?? 0) - next));
    widths[widest] = (widths[widest] ?? 0) - less;
    over -= less;
  }
  return widths;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}
