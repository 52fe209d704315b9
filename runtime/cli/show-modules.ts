/** Modules, what they ask for and what they were granted, and their secrets, as tables. */
import { oneLine } from './lines.ts';
import type { AskedAnswer, ModuleAnswer, SecretAnswer } from './module-answers.ts';
import { table } from './table.ts';
import { showMoment } from './times.ts';

export function showModules(modules: readonly ModuleAnswer[]): string {
  const rows = modules.map((module) => ({ cells: cellsOf(module), notes: notesOf(module) }));
  return table(['MODULE', 'VERSION', 'STATE', 'GRANTED'], rows);
}

function cellsOf({ name, version, state, permissions: { asked } }: ModuleAnswer): string[] {
  const granted = asked.filter((one) => one.granted).length;
  return [name, version, state, asked.length === 0 ? '-' : `${granted} of ${asked.length}`];
}

function notesOf({ reasons, permissions: { unused } }: ModuleAnswer): string[] {
  return [...reasons, ...(unused.length === 0 ? [] : [`granted and not used so far: ${unused.join(', ')}`])];
}

export function showPermissions({ name, state, reasons, permissions }: ModuleAnswer): string {
  if (permissions.asked.length === 0) return `${oneLine(`${name} is ${state}; it asks for no permissions.`)}\n`;
  const rows = permissions.asked.map((asked) => {
    const need = asked.required ? 'required' : 'optional';
    return {
      cells: [asked.permission, asked.risk, need, standing(asked, permissions.unused)],
      notes: [asked.sentence],
    };
  });
  const why = reasons.length === 0 ? '' : `: ${reasons.join(' ')}`;
  return `${table([name, '', ''], [{ cells: [`${state}${why}`, '', ''] }])}${table(['PERMISSION', 'RISK', 'NEED', 'GRANTED'], rows)}`;
}

function standing({ granted, permission }: AskedAnswer, unused: readonly string[]): string {
  if (!granted) return 'no';
  return unused.includes(permission) ? 'yes, not used so far' : 'yes';
}

export function showSecrets(secrets: readonly SecretAnswer[], now: Date): string {
  const rows = secrets.map(({ setting, value, source, set_by, set_at }) => ({
    cells: [
      setting,
      value ?? 'not set',
      source ?? '-',
      set_at === null ? '-' : `${showMoment(set_at, now)} by ${set_by ?? 'somebody'}`,
    ],
  }));
  return table(['SETTING', 'VALUE', 'FROM', 'SET'], rows);
}
