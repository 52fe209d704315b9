/** A module's settings as a form shows them: the schema with the host's own two keys, in order, and no secret in it. */
import { ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { childOf } from '../config/matched-texts.ts';
import { isMap } from '../config/yaml-check.ts';
import { asNode, type SchemaNode } from '../config/yaml-schema.ts';
import { HIDDEN } from './secret-settings.ts';
import { holdsSecrets } from './settings-layers.ts';

export type FormSchema = Readonly<Record<string, unknown>>;

/** Words that repeat values: of a secret they could be the secret. */
const VALUE_WORDS: ReadonlySet<string> = new Set(['default', 'examples', 'enum', 'const']);

/** @param schema of the author, checked by checkSettingsSchema. Each property says its place by `x-order`. */
export function formSchema(schema: SchemaNode | undefined): FormSchema {
  const own = asNode(ManifestSchema.properties.settings).properties ?? {};
  const { debug: _debug, log_level: _level, ...properties } = schema?.properties ?? {};
  const all = formNode({ ...schema, type: 'object', properties: { ...properties, ...own } }, false);
  return all;
}

function formNode(node: SchemaNode, isSecret: boolean): FormSchema {
  const hidden = isSecret || node.writeOnly === true;
  const entries = Object.entries(node).flatMap(([word, value]): [string, unknown][] => {
    // A value for a map may hold one for a secret in it.
    if (VALUE_WORDS.has(word) && (hidden || holdsSecrets(node))) return [];
    if (word === 'properties' && isMap(value)) return [[word, formProperties(value as Properties, hidden)]];
    if ((word === 'items' || word === 'additionalProperties') && isMap(value)) return [[word, formNode(value, hidden)]];
    return [[word, value]];
  });
  return Object.fromEntries(entries);
}

type Properties = Readonly<Record<string, SchemaNode>>;

function formProperties(properties: Properties, isSecret: boolean): FormSchema {
  const entries = Object.entries(properties).map(([name, node], order) => [
    name,
    { ...formNode(node, isSecret), 'x-order': order },
  ]);
  return Object.fromEntries(entries);
}

/** Boundary: goes wherever the schema may say writeOnly; a copy. */
export function hideSecrets(value: unknown, node: SchemaNode | undefined): unknown {
  if (node === undefined || value === undefined || value === null) return value;
  if (node.writeOnly === true) return HIDDEN;
  if (Array.isArray(value)) return value.map((item) => hideSecrets(item, node.items));
  if (!isMap(value)) return value;
  const entries = Object.entries(value).map(([key, below]) => [key, hideSecrets(below, childOf(node, key))]);
  return Object.fromEntries(entries);
}
