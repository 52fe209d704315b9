/**
 * Takes the secret settings out of a manifest before it goes to a cell. In their place stands the placeholder that the
 * host fills in where a request leaves it, so code that writes the setting into a header or a URL just works.
 */
import type { Manifest } from '@plexichat/sdk/protocol/manifest';

export interface SplitManifest {
  /** For the guest: no secret is in it. */
  readonly manifest: Manifest;
  readonly secrets: ReadonlyMap<string, string>;
}

export function splitSecrets(manifest: Manifest): SplitManifest {
  const secrets = new Map<string, string>();
  const settings: Record<string, unknown> = { ...manifest.settings };
  for (const name of secretNames(manifest.settings_schema)) {
    const value = settings[name];
    if (value === undefined) continue;
    secrets.set(name, typeof value === 'string' ? value : JSON.stringify(value));
    settings[name] = `{{secret.${name}}}`;
  }
  return { manifest: { ...manifest, settings: settings as Manifest['settings'] }, secrets };
}

function secretNames(schema: unknown): string[] {
  const properties = (schema as { properties?: Record<string, { writeOnly?: unknown }> } | undefined)?.properties ?? {};
  return Object.keys(properties).filter((name) => properties[name]?.writeOnly === true);
}
