/** JSON Schema files that editors use, made from our TypeBox schemas. */
import type { TSchema } from 'typebox';
import { isMap } from './yaml-check.ts';

export function writeSchema(schema: TSchema): string {
  const body = forEditors(JSON.parse(JSON.stringify(schema)));
  const head = { $schema: 'https://json-schema.org/draft/2020-12/schema' };
  return `${JSON.stringify({ ...head, ...(isMap(body) ? body : {}) }, null, 2)}\n`;
}

/** In a file, a key with a default may be left out; a default of '' means that the host works one out. */
function forEditors(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(forEditors);
  if (!isMap(node)) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, forEditors(value)]));
  if (copy.default === '' && copy.type === 'string') delete copy.default;
  if (Array.isArray(node.required) && isMap(node.properties)) {
    const { properties } = node;
    const required = node.required.filter((key) => {
      const property = properties[key];
      return isMap(property) && property.default === undefined;
    });
    if (required.length > 0) copy.required = required;
    else delete copy.required;
  }
  return copy;
}
