/** Texts that are held against an author's pattern, or a format: how long they may be. */
import { type Finding, isMap } from '../config/yaml-check.ts';
import type { Path } from '../config/yaml-issue.ts';
import type { SchemaNode } from '../config/yaml-schema.ts';

/** What a pattern costs may grow with the square of it, and the host waits meanwhile. */
export const MAX_MATCHED_TEXT = 4_096;

/** Boundary: before any pattern sees them. */
export function findLongTexts(schema: SchemaNode | undefined, value: unknown): Finding[] {
  const findings: Finding[] = [];
  const visit = (node: SchemaNode | undefined, here: unknown, path: Path): void => {
    if (node === undefined) return;
    if (typeof here === 'string') {
      const isMatched = node.pattern !== undefined || node.format !== undefined;
      if (!isMatched || here.length <= MAX_MATCHED_TEXT) return;
      const message = `found text of ${here.length} characters; allowed are ${MAX_MATCHED_TEXT} where it has to match something.`;
      findings.push({ path, part: 'value', message });
    } else if (Array.isArray(here)) {
      for (const [index, item] of here.entries()) visit(node.items, item, [...path, index]);
    } else if (isMap(here)) {
      for (const [key, below] of Object.entries(here))
        visit(below === null ? undefined : childOf(node, key), below, [...path, key]);
    }
  };
  visit(schema, value, []);
  return findings;
}

/** The schema that holds for a key of a map. */
export function childOf(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  const { properties, additionalProperties } = node ?? {};
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  return isMap(additionalProperties) ? (additionalProperties as SchemaNode) : undefined;
}
