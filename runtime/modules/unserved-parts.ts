/** What a module asks of the host that this host does not do yet: said once, so that nobody waits for it in silence. */
import type { Declaration } from '@plexichat/sdk/protocol/declaration';

export function unservedParts(declaration: Declaration): string | undefined {
  const parts = declaration.pages.map(({ path }) => `the page ${path}`);
  if (parts.length === 0) return undefined;
  const shown = parts.length > MAX_SHOWN ? [...parts.slice(0, MAX_SHOWN), `${parts.length - MAX_SHOWN} more`] : parts;
  return `Declared, not run yet by this host: ${shown.join(', ')}.`;
}

const MAX_SHOWN = 10;
