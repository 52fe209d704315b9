/** What the terminal shows once the modules are loaded: who runs, who does not and why, and a line to try. */
import type { Host } from '../compose.ts';
import type { ServedModule } from '../modules/served-module.ts';
import { printable } from '../observability/printable.ts';

/** What lets whoever sees the terminal in. */
export interface Access {
  readonly token: string;
  /** Signs in to the console, once. */
  readonly login: string;
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
  if (access === undefined) {
    lines.push(`A token: npx plexi token --sub operator --tier admin --permissions read,write --data ${data}`, '');
  } else {
    const { token, login } = access;
    lines.push('The console, signed in; works once, for ten minutes:', '', login, '');
    lines.push('A token of the admin tier, for the next 12 hours:', '', token, '');
    const path = modules.map(pathToTry).find((candidate) => candidate !== undefined);
    if (path !== undefined) lines.push('Try:', '', `curl -H "Authorization: Bearer ${token}" ${url}${path}`, '');
  }
  return `${lines.join('\n')}\n`;
}

/** A GET that needs nothing but the token. */
function pathToTry({ state, prefix, declaration }: ServedModule): string | undefined {
  if (state !== 'running' && state !== 'sleeping') return undefined;
  const endpoint = declaration.endpoints.find(
    ({ method, path, schemas, permissions }) =>
      method === 'GET' &&
      !/[:*]/.test(path) &&
      !Array.isArray(schemas.query?.required) &&
      permissions.every((permission) => permission === 'read' || permission === 'write'),
  );
  return endpoint === undefined ? undefined : prefix + (endpoint.path === '/' ? '' : endpoint.path);
}
