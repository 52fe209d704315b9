/** What the commands that make tokens read alike. */
import { UserError } from './user-error.ts';

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** @returns seconds @throws UserError */
export function readLifetime(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNIT_SECONDS[unit] ?? 0);
  if (!(seconds > 0))
    throw new UserError(`--expires: found "${text}"; allowed is a number and a unit, such as 30m, 12h or 7d.`);
  return seconds;
}

/** @example readPermissionList('read, write') // ['read', 'write'] */
export function readPermissionList(text: string): string[] {
  return text
    .split(',')
    .map((permission) => permission.trim())
    .filter((permission) => permission !== '');
}
