/** What the terminal shows once the modules are loaded: who runs, who does not and why, and a line to try. */
import type { Host } from '../compose.ts';
import { printable } from '../observability/printable.ts';

/** What lets its reader in. */
export interface Access {
  /** Calls modules, and steers nothing. */
  readonly token: string;
  /** Of which tier it is, and for how long. */
  readonly about: string;
  /** A GET of a module that this token may send. */
  readonly path?: string | undefined;
  /** Signs in to the console, once. */
  readonly login?: string | undefined;
}

export type AccessKind = 'everything' | 'a line' | 'nothing';

/**
 * Boundary: what is no terminal is kept (a file, a journal, the log of a container), and read by others than the operator.
 * - In production nothing is shown that lets anybody in, only the commands that make it: what looks like a terminal there
 *   may be a container's, whose log is kept too.
 * - Elsewhere a terminal shows everything: a login to the console, a token, a line to try.
 * - What is no terminal shows the line only, with a token of the lowest tier that will do, for an hour.
 * No token that is shown has more than the permissions read and write.
 * @param environment NODE_ENV
 */
export function accessFor(isTerminal: boolean, environment: string | undefined): AccessKind {
  if (environment === 'production') return 'nothing';
  return isTerminal ? 'everything' : 'a line';
}

/** @param access nothing when it must not be shown */
export function welcome({ url, registry }: Host, access: Access | undefined, data: string): string {
  const modules = registry.list();
  const names = [...modules.map(({ name }) => name), ...registry.broken.map(({ name }) => name)];
  const width = Math.max(...names.map((name) => name.length), 6);
  const margin = ' '.repeat(width + 4);
  // Boundary: no line of a reason may look like a line of the list.
  const shown = (reason: string) => `${margin}- ${printable(reason).replaceAll('\n', `\n${margin}|`)}`;
  const lines = ['', `PlexiChat Modules on ${url}`, ''];
  for (const module of modules) {
    lines.push(`  ${module.name.padEnd(width)}  ${module.state.padEnd(9)}  ${module.prefix}`);
    lines.push(...module.reasons.map(shown));
  }
  for (const { name, reasons } of registry.broken) {
    lines.push(`  ${name.padEnd(width)}  failed`);
    lines.push(...reasons.map(shown));
  }
  if (names.length === 0)
    lines.push('  No modules yet: put a folder with a config.yaml and a module.ts there, and start again.');
  lines.push('', `  API      ${url}/docs`, `  Health   ${url}/healthz`, `  Console  ${url}/console`, '');
  lines.push(...(access === undefined ? [] : waysIn(url, access)));
  if (access?.login === undefined) lines.push(...commands(data));
  return `${lines.join('\n')}\n`;
}

function waysIn(url: string, { token, about, path, login }: Access): string[] {
  const lines: string[] = [];
  if (login !== undefined) {
    lines.push('The console, signed in; works once, for ten minutes:', '', login, '');
    lines.push(`A token ${about}:`, '', token, '');
  }
  if (path === undefined) return lines;
  const title = login === undefined ? `Try, with a token ${about}:` : 'Try:';
  return [...lines, title, '', `curl -H "Authorization: Bearer ${token}" ${url}${path}`, ''];
}

function commands(data: string): string[] {
  const folder = shellWord(printable(data));
  return [
    `A token for callers: npx plexi token --sub operator --tier admin --permissions read,write --data ${folder}`,
    `A token to sign in to the console with: npx plexi token --sub operator --permissions modules:manage --data ${folder}`,
    '',
  ];
}

function shellWord(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
