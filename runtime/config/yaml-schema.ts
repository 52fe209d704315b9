/** The few JSON Schema words that our own schemas, and an author's settings_schema, are made of. */
import type { TSchema } from 'typebox';

export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly pattern?: string;
  /** A pattern in words; editors show it as well. */
  readonly patternErrorMessage?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly format?: string;
  readonly writeOnly?: boolean;
}

/** A TypeBox schema is JSON Schema; this says so to the compiler. */
export function asNode(schema: TSchema): SchemaNode {
  return schema as SchemaNode;
}

/** What a schema allows, in words. */
export function describeAllowed(schema: SchemaNode): string {
  if (schema.anyOf !== undefined) {
    const literals = schema.anyOf.every((option) => option.const !== undefined);
    const options = schema.anyOf.map((option) => (literals ? JSON.stringify(option.const) : describeAllowed(option)));
    return literals ? `one of ${options.join(', ')}` : options.join(', or ');
  }
  if (schema.enum !== undefined) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.patternErrorMessage !== undefined) return schema.patternErrorMessage;
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (types.length === 0) return 'another value';
  return types.map((type) => (TYPE_WORDS[type] ?? (() => type))(schema)).join(', or ');
}

const TYPE_WORDS: Readonly<Record<string, (schema: SchemaNode) => string>> = {
  boolean: () => 'true or false',
  null: () => 'null',
  object: () => 'a map of keys and values',
  integer: (schema) => `a whole number${rangeWords(schema)}`,
  number: (schema) => `a number${rangeWords(schema)}`,
  array: (schema) => {
    const bounds = countWords(schema.minItems, schema.maxItems, 'entries');
    return `a list${bounds}${schema.uniqueItems ? ' without repeats' : ''}`;
  },
  string: (schema) => {
    const pattern = schema.pattern === undefined ? '' : ` that matches ${schema.pattern}`;
    const format = schema.format === undefined ? '' : ` in the form "${schema.format}"`;
    return `text${countWords(schema.minLength, schema.maxLength, 'characters')}${format}${pattern}`;
  },
};

function rangeWords(schema: SchemaNode): string {
  const low = schema.exclusiveMinimum === undefined ? schema.minimum : `above ${schema.exclusiveMinimum}`;
  const high = schema.exclusiveMaximum === undefined ? schema.maximum : `below ${schema.exclusiveMaximum}`;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  if (low !== undefined) return ` from ${low}`;
  return high === undefined ? '' : ` up to ${high}`;
}

function countWords(low: number | undefined, high: number | undefined, unit: string): string {
  if (low !== undefined && high !== undefined) return ` of ${low} to ${high} ${unit}`;
  if (low !== undefined) return ` of at least ${low} ${unit}`;
  return high === undefined ? '' : ` of at most ${high} ${unit}`;
}
