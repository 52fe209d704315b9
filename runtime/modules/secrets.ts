/**
 * Takes the secret settings out of a manifest before it goes to a cell. In their place stands the placeholder that the
 * host fills in where a request leaves it, so code that writes the setting into a header or a URL just works.
 */
import type { Manifest } from '@plexichat/sdk/protocol/manifest';

export interface SplitManifest {
  /** For the guest: no secret is in it. */
  readonly manifest: Manifest;
  /** By the name in their placeholder: `api_key`, `smtp.password`, `keys.0`. */
  readonly secrets: ReadonlyMap<string, string>;
  /** The only hosts that a secret may be sent to, of those whose setting names some (`x-hosts`). */
  readonly secretHosts: ReadonlyMap<string, readonly string[]>;
}

interface Node {
  readonly writeOnly?: unknown;
  readonly 'x-hosts'?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly additionalProperties?: Node | boolean;
}

export function splitSecrets(manifest: Manifest): SplitManifest {
  const secrets = new Map<string, string>();
  const secretHosts = new Map<string, readonly string[]>();
  const keep: Keep = (name, value, hosts) => {
    secrets.set(name, value);
    if (hosts !== undefined) secretHosts.set(name, hosts);
  };
  const settings = takeOut(manifest.settings, manifest.settings_schema as Node | undefined, [], secrets, keep);
  return { manifest: { ...manifest, settings: settings as Manifest['settings'] }, secrets, secretHosts };
}

type Keep = (name: string, value: string, hosts: readonly string[] | undefined) => void;

/** Boundary: goes wherever the schema may say writeOnly; a copy, since the host keeps the original. */
function takeOut(
  value: unknown,
  schema: Node | boolean | undefined,
  path: readonly string[],
  secrets: ReadonlyMap<string, string>,
  keep: Keep,
): unknown {
  if (typeof schema !== 'object' || value === undefined) return value;
  if (schema.writeOnly === true && path.length > 0) {
    const name = nameFor(path, secrets);
    keep(name, typeof value === 'string' ? value : JSON.stringify(value), schema['x-hosts']);
    return `{{secret.${name}}}`;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => takeOut(item, schema.items, [...path, String(index)], secrets, keep));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => {
    const known = schema.properties !== undefined && Object.hasOwn(schema.properties, key);
    const below = known ? schema.properties?.[key] : schema.additionalProperties;
    return [key, takeOut(item, below, [...path, key], secrets, keep)];
  });
  return Object.fromEntries(entries);
}

/** What a placeholder can carry; two settings never share a name. */
function nameFor(path: readonly string[], taken: ReadonlyMap<string, string>): string {
  const plain = path
    .join('.')
    .replace(/[^A-Za-z0-9_.-]/g, '_')
    .slice(0, 180);
  let name = plain;
  for (let count = 2; taken.has(name); count++) name = `${plain}-${count}`;
  return name;
}
