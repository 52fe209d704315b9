/** Path and query arrive as text; this gives them the types that the schema asks for, and leaves the rest for the check. */
import { type CheckRun, matches } from './check.ts';
import type { JsonType, SchemaNode } from './schema-node.ts';

export type RawValue = string | readonly string[];
export type RawRecord = Readonly<Record<string, RawValue>>;

/** Converts a whole record; the result has no prototype, so no name in it can mean anything but itself. */
export function compileConversion(node: SchemaNode): (raw: RawRecord, run: CheckRun) => Record<string, unknown> {
  const declared = new Map([...(node.properties ?? [])].map(([name, schema]) => [name, valueConversion(schema)]));
  const byPattern = (node.patternProperties ?? []).map(
    ([pattern, schema]) => [pattern, valueConversion(schema)] as const,
  );
  const rest = valueConversion(node.additionalProperties ?? {});
  return (raw, run) => {
    const converted: Record<string, unknown> = Object.create(null);
    for (const name in raw) {
      const value = raw[name];
      if (value === undefined) continue;
      const known = declared.get(name) ?? byPattern.find(([pattern]) => matches(pattern, name, run))?.[1] ?? rest;
      converted[name] = known(value);
    }
    return converted;
  };
}

type Conversion = (value: RawValue) => unknown;

function valueConversion(node: SchemaNode): Conversion {
  const types = possibleTypes(node);
  const scalar = scalarConversion(types);
  if (!types.has('array')) return (value) => (typeof value === 'string' ? scalar(value) : value);
  const item = itemConversion(node);
  return (value) => (typeof value === 'string' ? [item(value)] : value.map(item));
}

function itemConversion(node: SchemaNode): (text: string) => unknown {
  const schemas = alternatives(node).flatMap(({ items, prefixItems }) => [
    ...(items ? [items] : []),
    ...(prefixItems ?? []),
  ]);
  return scalarConversion(new Set(schemas.flatMap((schema) => [...possibleTypes(schema)])));
}

const INTEGER = /^-?(?:0|[1-9]\d{0,15})$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/;

/** The most exact type that the text fits and the schema allows; otherwise it stays text. */
function scalarConversion(types: ReadonlySet<JsonType>): (text: string) => unknown {
  const integer = types.has('integer');
  const number = types.has('number');
  const boolean = types.has('boolean');
  if (!integer && !number && !boolean) return (text) => text;
  return (text) => {
    if (boolean && (text === 'true' || text === 'false')) return text === 'true';
    if (integer && INTEGER.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
    if (number && text.length <= 64 && NUMBER.test(text) && Number.isFinite(Number(text))) return Number(text);
    return text;
  };
}

function possibleTypes(node: SchemaNode): ReadonlySet<JsonType> {
  const types = new Set<JsonType>();
  for (const schema of alternatives(node)) {
    for (const type of schema.types ?? []) types.add(type);
    for (const { value } of schema.values ?? []) types.add(typeOf(value));
  }
  return types;
}

function alternatives(node: SchemaNode): SchemaNode[] {
  const nested = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  return [node, ...nested.flatMap(alternatives)];
}

function typeOf(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'string' ? 'string' : 'object';
}
