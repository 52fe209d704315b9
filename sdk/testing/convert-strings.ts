/** Path and query values as the types that a schema names, as the host does it; what does not fit stays a string. */
export function convertStrings(schema: object, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const properties: Readonly<Record<string, PropertySchema>> = Reflect.get(schema, 'properties') ?? {};
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, convertValue(properties[name] ?? {}, value)]),
  );
}

interface PropertySchema {
  readonly type?: string;
  readonly items?: PropertySchema;
}

function convertValue(schema: PropertySchema, value: unknown): unknown {
  if (schema.type === 'array') {
    return (Array.isArray(value) ? value : [value]).map((item) => convertValue(schema.items ?? {}, item));
  }
  if (typeof value !== 'string') return value;
  if (schema.type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  const isNumber = schema.type === 'integer' || schema.type === 'number';
  return isNumber && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}
