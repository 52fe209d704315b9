/** For `plexi serve --print-config`: each value, and where it came from. */

import { type HostSettings, HostSettingsSchema } from './settings-schema.ts';
import { isMap } from './yaml-check.ts';
import { formatPath, type Path } from './yaml-issue.ts';
import { asNode, type SchemaNode } from './yaml-schema.ts';

export interface Origin {
  readonly from: 'flag' | 'environment' | 'file' | 'default';
  /** `--port`, `PLEXI_PORT`, `plexi.yaml:3` or `default`. */
  readonly where: string;
  /** For printing: secrets are `***`. */
  readonly value: unknown;
}

/** By dotted key; lists are one value. */
export type Origins = Readonly<Record<string, Origin>>;

export function originsOf(settings: HostSettings, originAt: (path: Path) => Omit<Origin, 'value'>): Origins {
  const origins: Record<string, Origin> = {};
  const visit = (value: unknown, schema: SchemaNode, path: Path): void => {
    if (isMap(value) && schema.properties !== undefined) {
      for (const [key, below] of Object.entries(value)) visit(below, schema.properties[key] ?? {}, [...path, key]);
      return;
    }
    origins[formatPath(path)] = { ...originAt(path), value: masked(value, schema) };
  };
  visit(settings, asNode(HostSettingsSchema), []);
  return origins;
}

/** One line per value: `port = 8080   (PLEXI_PORT)`. */
export function printOrigins(origins: Origins): string {
  const width = Math.max(...Object.keys(origins).map((key) => key.length));
  const lines = Object.entries(origins).map(
    ([key, { value, where }]) => `${key.padEnd(width)} = ${JSON.stringify(value)}  (${where})`,
  );
  return `${lines.join('\n')}\n`;
}

/** Boundary: what the schema marks as writeOnly, and passwords inside URLs, are never printed. */
function masked(value: unknown, schema: SchemaNode): unknown {
  if (schema.writeOnly) return '***';
  if (Array.isArray(value)) return value.map((item) => masked(item, schema.items ?? {}));
  if (isMap(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, below]) => [key, masked(below, schema.properties?.[key] ?? {})]),
    );
  }
  return typeof value === 'string' ? value.replace(/^([a-z]+:\/\/)[^/@\s]+@/, '$1***@') : value;
}
