/** console for authors: every method ends in one line of the module's log. */
import { formatLine, ownEntries } from './format.ts';
import { type LogLevel, platform } from './platform.ts';

const counts = new Map<string, number>();
const timers = new Map<string, number>();
const MAX_LABELS = 1000;
let indent = '';

export const console = {
  debug: (...values: unknown[]) => write('debug', values),
  log: (...values: unknown[]) => write('info', values),
  info: (...values: unknown[]) => write('info', values),
  warn: (...values: unknown[]) => write('warn', values),
  error: (...values: unknown[]) => write('error', values),
  trace: (...values: unknown[]) => write('debug', ['Trace:', ...values]),
  dir: (value: unknown) => write('info', [value]),
  dirxml: (...values: unknown[]) => write('info', values),
  table: (rows: unknown) => platform().log('info', formatTable(rows)),
  assert(condition?: unknown, ...values: unknown[]): void {
    if (!condition) write('error', ['Assertion failed:', ...values]);
  },
  group(...values: unknown[]): void {
    if (values.length > 0) write('info', values);
    if (indent.length < 40) indent += '  ';
  },
  groupEnd(): void {
    indent = indent.slice(2);
  },
  count(label: unknown = 'default'): void {
    const key = `${label}`;
    if (counts.size >= MAX_LABELS && !counts.has(key)) return;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    write('info', [`${key}: ${counts.get(key)}`]);
  },
  countReset(label: unknown = 'default'): void {
    counts.delete(`${label}`);
  },
  time(label: unknown = 'default'): void {
    if (timers.size < MAX_LABELS) timers.set(`${label}`, Date.now());
  },
  timeEnd(label: unknown = 'default'): void {
    const since = timers.get(`${label}`);
    if (since !== undefined) write('info', [`${label}: ${Date.now() - since} ms`]);
    timers.delete(`${label}`);
  },
};

Object.assign(console, { groupCollapsed: console.group });

function write(level: LogLevel, values: readonly unknown[]): void {
  platform().log(level, indent + formatLine(values));
}

/** Rows of flat values as aligned columns; anything else as `log` would show it. */
function formatTable(rows: unknown): string {
  const outer = ownEntries(rows);
  if (outer === undefined) return formatLine([rows]);
  const cells = outer.slice(0, 100).map(([index, row]) => {
    const inner = ownEntries(row) ?? [['value', row]];
    return [index, ...inner.slice(0, 20).map(([key, value]) => `${key}=${formatLine([value])}`)];
  });
  const widths: number[] = [];
  for (const row of cells) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => line.trimEnd()).join('\n');
}
