/** The keywords of JSON Schema that are taken from a guest, and how each is read. */
import { FORMAT_NAMES, findFormat } from './format.ts';
import { type LinearPattern, readPattern } from './pattern.ts';
import { canonicalJson, JSON_TYPES, type JsonType, type SchemaBudget, type SchemaNode } from './schema-node.ts';

/** Where a keyword stands, and what its reader may ask for. */
export interface Place {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly budget: SchemaBudget;
  refuse(what: string): void;
  child(schema: unknown, below?: string | number): SchemaNode;
}

export type ReadKeyword = (node: SchemaNode, value: unknown, place: Place) => void;

const MAX_NOTE_LENGTH = 4096;
const MAX_VALUE_LENGTH = 4096;

const COUNTS = ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'] as const;
const NUMBERS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'] as const;
const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems'] as const;
const CHILDREN = ['not', 'additionalProperties'] as const;
/** They say something to people or to the documentation, nothing to the check. */
const NOTES = [
  ...['$id', '$schema', '$defs', '$comment', 'title', 'description', 'examples', 'deprecated'],
  ...['readOnly', 'writeOnly', 'contentMediaType', 'contentEncoding'],
];

export const KEYWORDS: ReadonlyMap<string, ReadKeyword> = new Map<string, ReadKeyword>([
  ...NOTES.map((name): [string, ReadKeyword] => [name, (_node, value, place) => limitNote(name, value, place)]),
  ...COUNTS.map((name): [string, ReadKeyword] => [name, (node, value, place) => readCount(node, name, value, place)]),
  ...NUMBERS.map((name): [string, ReadKeyword] => [name, (node, value, place) => readNumber(node, name, value, place)]),
  ...LISTS.map((name): [string, ReadKeyword] => [name, (node, value, place) => readList(node, name, value, place)]),
  ...CHILDREN.map((name): [string, ReadKeyword] => [name, (node, value, place) => set(node, name, place.child(value))]),
  ['type', readTypes],
  ['enum', readValues],
  ['const', (node, value, place) => readValues(node, [value], place)],
  ['default', (node, value, place) => set(node, 'default', defaultOf(value, place))],
  ['pattern', (node, value, place) => set(node, 'pattern', patternOf(value, place))],
  ['format', readFormat],
  ['uniqueItems', (node, value) => set(node, 'uniqueItems', value === true ? true : undefined)],
  ['required', readRequired],
  ['properties', (node, value, place) => set(node, 'properties', propertiesOf(value, place))],
  ['patternProperties', readPatternProperties],
  ['items', readItems],
  ['additionalItems', readAdditionalItems],
]);

export const SUPPORTED_KEYWORDS: string = [...KEYWORDS.keys(), '$ref'].join(', ');

/** Whatever is only shown: an author's words, not a store of data. */
function limitNote(name: string, value: unknown, place: Place): void {
  if (name === '$defs') return;
  const { length } = JSON.stringify(value) ?? '';
  if (length > MAX_NOTE_LENGTH) place.refuse(`has ${length} characters; at most ${MAX_NOTE_LENGTH} are allowed`);
}

function defaultOf(value: unknown, place: Place): SchemaNode['default'] {
  const json = JSON.stringify(value);
  if (json.length > MAX_VALUE_LENGTH) {
    place.refuse(`has ${json.length} characters; at most ${MAX_VALUE_LENGTH} are allowed`);
  }
  return { json };
}

function readTypes(node: SchemaNode, value: unknown, place: Place): void {
  const names = Array.isArray(value) ? value : [value];
  if (names.length > 0 && names.every((name) => JSON_TYPES.includes(name))) node.types = new Set<JsonType>(names);
  else place.refuse(`must be one or more of ${JSON_TYPES.join(', ')}`);
}

function readValues(node: SchemaNode, value: unknown, place: Place): void {
  if (!Array.isArray(value) || value.length === 0 || value.length > 1000) {
    place.refuse('must be a list of 1 to 1000 values');
    return;
  }
  const values = value.map((item: unknown) => ({ value: item, canonical: canonicalJson(item) }));
  const longest = Math.max(...values.map(({ canonical }) => canonical.length));
  if (longest > MAX_VALUE_LENGTH) {
    place.refuse(`has a value of ${longest} characters; at most ${MAX_VALUE_LENGTH} are allowed`);
  }
  // With enum and const together, only what both allow is allowed.
  node.values = node.values?.filter((known) => values.some((item) => item.canonical === known.canonical)) ?? values;
}

function readCount(node: SchemaNode, name: (typeof COUNTS)[number], value: unknown, place: Place): void {
  if (Number.isSafeInteger(value) && Number(value) >= 0) node[name] = Number(value);
  else place.refuse('must be a whole number of 0 or more');
}

function readNumber(node: SchemaNode, name: (typeof NUMBERS)[number], value: unknown, place: Place): void {
  if (typeof value === 'number' && Number.isFinite(value) && (name !== 'multipleOf' || value > 0)) node[name] = value;
  else place.refuse(name === 'multipleOf' ? 'must be a number above 0' : 'must be a number');
}

function readFormat(node: SchemaNode, value: unknown, place: Place): void {
  const format = typeof value === 'string' ? findFormat(value) : undefined;
  if (format !== undefined) node.format = format;
  else place.refuse(`is not a supported format; supported are ${FORMAT_NAMES.join(', ')}`);
}

function readRequired(node: SchemaNode, value: unknown, place: Place): void {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) node.required = [...new Set(value)];
  else place.refuse('must be a list of property names');
}

function readPatternProperties(node: SchemaNode, value: unknown, place: Place): void {
  const found: [LinearPattern, SchemaNode][] = [];
  for (const [source, schema] of propertiesOf(value, place) ?? []) {
    const pattern = patternOf(source, place);
    if (pattern !== undefined) found.push([pattern, schema]);
  }
  node.patternProperties = found;
}

/** A list is the older spelling of prefixItems, which TypeBox writes for tuples; additionalItems goes with it. */
function readItems(node: SchemaNode, value: unknown, place: Place): void {
  if (Array.isArray(value)) readList(node, 'prefixItems', value, place);
  else node.items = place.child(value);
}

function readAdditionalItems(node: SchemaNode, value: unknown, place: Place): void {
  if (Array.isArray(place.schema.items)) node.items = place.child(value);
}

function readList(node: SchemaNode, name: (typeof LISTS)[number], value: unknown, place: Place): void {
  if (Array.isArray(value)) node[name] = value.map((schema, index) => place.child(schema, index));
  else place.refuse('must be a list of schemas');
}

function propertiesOf(value: unknown, place: Place): ReadonlyMap<string, SchemaNode> | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return new Map(Object.entries(value).map(([name, schema]) => [name, place.child(schema, name)]));
  }
  place.refuse('must be an object');
  return undefined;
}

function patternOf(value: unknown, { budget, refuse }: Place): LinearPattern | undefined {
  try {
    if (typeof value !== 'string') throw new Error('must be a string');
    if (budget.patternSize < 0) throw new Error('is one too many: the patterns of this module are too large');
    const pattern = readPattern(value);
    budget.patternSize -= pattern.cost + pattern.source.length;
    return pattern;
  } catch (error) {
    refuse(error instanceof Error ? error.message : 'is not a pattern');
    return undefined;
  }
}

function set<Key extends keyof SchemaNode>(node: SchemaNode, key: Key, value: SchemaNode[Key] | undefined): void {
  if (value !== undefined) node[key] = value;
}
