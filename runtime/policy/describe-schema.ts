/** Words for messages: what would have been allowed. */
import type { AllowedValue, JsonType, SchemaNode } from './schema-node.ts';

const MAX_LISTED = 10;

const TYPE_WORDS: Readonly<Record<JsonType, string>> = {
  null: 'null',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  string: 'text',
  array: 'a list',
  object: 'an object',
};

export function describeTypes(types: Iterable<JsonType>): string {
  return listOf(
    [...types].map((type) => TYPE_WORDS[type]),
    'or',
  );
}

export function describeValues(values: readonly AllowedValue[]): string {
  const texts = values.map(({ canonical }) => (canonical.length > 60 ? `${canonical.slice(0, 59)}…` : canonical));
  return values.length === 1 ? listOf(texts, 'or') : `one of ${listOf(texts, 'or')}`;
}

export function describeAlternatives(nodes: readonly SchemaNode[]): string {
  const values = nodes.flatMap((node) => node.values ?? []);
  if (nodes.every((node) => node.values !== undefined)) return describeValues(values);
  return listOf([...new Set(nodes.map(describeNode))], 'or');
}

export function describeNames(names: readonly string[]): string {
  return names.length === 0 ? 'none is allowed' : `allowed are ${listOf(names, 'and')}`;
}

function describeNode(node: SchemaNode): string {
  if (node.values !== undefined) return describeValues(node.values);
  if (node.types === undefined) return 'another allowed form';
  const words = describeTypes(node.types);
  return node.required !== undefined && node.required.length > 0
    ? `${words} with ${listOf(node.required, 'and')}`
    : words;
}

function listOf(words: readonly string[], joiner: 'and' | 'or'): string {
  const shown = words.length > MAX_LISTED ? [...words.slice(0, MAX_LISTED), 'more'] : words;
  if (shown.length < 2) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} ${joiner} ${shown.at(-1)}`;
}
