/** A guest's JSON Schema after it was read: only what the host understands, in a shape that is quick to work with. */
import type { StringFormat } from './format.ts';
import type { LinearPattern } from './pattern.ts';

export const JSON_TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const;
export type JsonType = (typeof JSON_TYPES)[number];

export interface SchemaNode {
  /** The schema `false`. */
  never?: true;
  types?: ReadonlySet<JsonType>;
  /** Allowed values of enum or const; a value matches when its canonical text does. */
  values?: readonly AllowedValue[];

  minLength?: number;
  maxLength?: number;
  pattern?: LinearPattern;
  format?: StringFormat;

  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;

  properties?: ReadonlyMap<string, SchemaNode>;
  required?: readonly string[];
  patternProperties?: readonly (readonly [LinearPattern, SchemaNode])[];
  additionalProperties?: SchemaNode;
  minProperties?: number;
  maxProperties?: number;

  prefixItems?: readonly SchemaNode[];
  items?: SchemaNode;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: true;

  allOf?: readonly SchemaNode[];
  anyOf?: readonly SchemaNode[];
  oneOf?: readonly SchemaNode[];
  not?: SchemaNode;

  default?: { readonly json: string };
}

/** One per module: all its schemas draw from it, so that many small schemas cost no more than one large one. */
export interface SchemaBudget {
  nodes: number;
  /** Of their JSON texts. */
  characters: number;
  patternSize: number;
}

export interface AllowedValue {
  readonly value: unknown;
  readonly canonical: string;
}

/** Text that is equal for equal JSON values: object keys sorted. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}
