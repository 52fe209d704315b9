/** Sections and bars as aligned text. */
import { type Bar, passes, type Section, type Table } from './question.ts';

export function printSection({ title, table, notes }: Section): string {
  return [title, ...alignTable(table), ...notes.map((note) => `  ${note}`), '', ''].join('\n');
}

export function printBars(bars: readonly Bar[]): string {
  const rows = bars.map((bar) => [
    bar.name,
    `${bar.comparison} ${round(bar.bound)}${bar.unit}`,
    `${round(bar.measured)}${bar.unit}`,
    passes(bar) ? 'pass' : 'FAIL',
  ]);
  return ['Bars', ...alignTable({ columns: ['what', 'bar', 'measured', ''], rows }), ''].join('\n');
}

/** Three significant digits; whole numbers above a hundred. */
export function round(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** The first column to the left, numbers to the right. */
function alignTable({ columns, rows }: Table): string[] {
  const widths = columns.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [columns, widths.map((width) => '-'.repeat(width)), ...rows].map((row) => `  ${line(row)}`);
}
