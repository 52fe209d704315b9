/** The settings of a module as a table, and what a change of them came to. */
import { oneLine } from './lines.ts';
import type { ChangedSettingsAnswer, SettingsAnswer } from './settings-answers.ts';
import { table } from './table.ts';

export function showSettings({ values, sources, overridden, missing, dropped }: SettingsAnswer): string {
  const rows = leavesOf(values, '').map(([name, value]) => {
    const variable = Object.hasOwn(overridden, name) ? overridden[name] : undefined;
    const notes = variable === undefined ? [] : [`${variable} is set, so it cannot be changed here.`];
    return { cells: [name, shownValue(value), Object.hasOwn(sources, name) ? (sources[name] ?? '-') : '-'], notes };
  });
  const lacks = missing.map((name) => `${name} is required, and has no value.\n`);
  const left = dropped.map(({ setting, message }) => `${setting} was set and is not used: ${message}\n`);
  return table(['SETTING', 'VALUE', 'FROM'], rows) + [...lacks, ...left].map((line) => `${oneLine(line)}\n`).join('');
}

export function showChange(answer: ChangedSettingsAnswer): string {
  const { module, effect, state, reasons } = answer;
  const how = Object.hasOwn(EFFECTS, effect) ? EFFECTS[effect] : effect;
  const why = reasons.length === 0 ? '' : `: ${reasons.join(' ')}`;
  return `${showSettings(answer)}${oneLine(`${module} ${how}; it is ${state}${why}`)}\n`;
}

const EFFECTS: Readonly<Record<string, string>> = {
  live: 'runs on, and knows',
  replaced: 'was started anew with them',
  next_start: 'has them when it is started',
  failed: 'cannot be loaded with them, and goes on with those before',
  pending: 'gets them soon',
};

/** No host of ours nests deeper; what does is shown as one value. */
const MAX_DEPTH = 30;

function leavesOf(value: Readonly<Record<string, unknown>>, above: string, depth = 0): [string, unknown][] {
  return Object.entries(value).flatMap(([key, below]) => {
    const name = above + key;
    const isMap = typeof below === 'object' && below !== null && !Array.isArray(below);
    if (!isMap || Object.keys(below).length === 0 || depth > MAX_DEPTH) return [[name, below]];
    return leavesOf(below as Readonly<Record<string, unknown>>, `${name}.`, depth + 1);
  });
}

function shownValue(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  try {
    return JSON.stringify(value);
  } catch {
    return '…';
  }
}
