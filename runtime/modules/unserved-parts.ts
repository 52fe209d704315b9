/** What a module asks of the host that this host does not do yet: said once, so that nobody waits for it in silence. */
import type { Declaration } from '@plexichat/sdk/protocol/declaration';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';

export function unservedParts({ database }: Pick<Manifest, 'database'>, declaration: Declaration): string | undefined {
  const parts = [
    ...declaration.events.map(({ pattern }) => `the event ${pattern}`),
    ...declaration.pages.map(({ path }) => `the page ${path}`),
    ...(database.enabled || database.tables.length > 0 ? ['database'] : []),
  ];
  if (parts.length === 0) return undefined;
  const shown = parts.length > MAX_SHOWN ? [...parts.slice(0, MAX_SHOWN), `${parts.length - MAX_SHOWN} more`] : parts;
  return `Declared, not run yet by this host: ${shown.join(', ')}.`;
}

const MAX_SHOWN = 10;
