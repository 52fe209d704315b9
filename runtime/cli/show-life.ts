/** What became of a module, in words for a terminal; every name and reason in it may be a stranger's. */
import { showBytes } from '../packages/package-bounds.ts';
import type { InstalledAnswer, VersionAnswer } from './life-answers.ts';
import { oneLine } from './lines.ts';
import type { ModuleAnswer } from './module-answers.ts';
import { table } from './table.ts';
import { showMoment } from './times.ts';

const OUTCOMES: Readonly<Record<string, string>> = {
  installed: 'is installed',
  upgraded: 'has taken over',
  pending: 'waits to take over',
  unchanged: 'is in force already',
};

export function showInstalled(answer: InstalledAnswer): string {
  const { name, outcome, package: version, permissions } = answer;
  const what = Object.hasOwn(OUTCOMES, outcome) ? OUTCOMES[outcome] : outcome;
  const missing = permissions.waits_for;
  const next =
    missing.length === 0
      ? ''
      : `${oneLine(`It waits for permissions. Look at them with "plexi modules show ${name}", then: plexi modules grant ${name} ${missing.join(' ')}`)}\n`;
  return `${oneLine(`${name} ${version} ${what}.`)}\n${showState(answer)}${next}`;
}

export function showState({ name, version, state, reasons }: ModuleAnswer): string {
  const why = reasons.length === 0 ? '' : `: ${reasons.join(' ')}`;
  return `${oneLine(`${name} ${version} is ${state}${why}`)}\n`;
}

const ROLES: Readonly<Record<string, string>> = { in_force: 'in force', waits: 'waits', previous: 'the one before' };

export function showVersions(versions: readonly VersionAnswer[], now: Date): string {
  const rows = versions.map(({ version, role, publisher, bytes, stored_at }) => ({
    cells: [
      version,
      (Object.hasOwn(ROLES, role) ? ROLES[role] : undefined) ?? '-',
      bytes === null ? '-' : showBytes(bytes),
      stored_at === null ? '-' : showMoment(stored_at, now),
      publisher === null ? 'nobody' : `${publisher.slice(0, 16)}…`,
    ],
  }));
  return table(['VERSION', '', 'SIZE', 'INSTALLED', 'SIGNED BY'], rows);
}
