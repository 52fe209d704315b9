/** Texts that are held against an author's pattern, or a format: how long they may be, each and together. */
import { isMap } from './is-map.ts';
import type { Path } from './yaml-issue.ts';
import type { SchemaNode } from './yaml-schema.ts';

/** What a pattern costs may grow with the square of it, and the host waits meanwhile. */
export const MAX_MATCHED_TEXT = 1_000;
/** The squares of all lengths: four of the longest, or 400 texts of 100 characters. */
const MAX_SQUARES = 4 * MAX_MATCHED_TEXT ** 2;

/** A finding of yaml-check.ts. */
export interface LongText {
  readonly path: Path;
  readonly part: 'value';
  readonly message: string;
}

/** Boundary: before any pattern sees them. */
export function findLongTexts(schema: SchemaNode | undefined, value: unknown): LongText[] {
  const findings: LongText[] = [];
  const report = (path: Path, message: string) => findings.push({ path, part: 'value', message });
  let squares = 0;
  const visit = (node: SchemaNode | undefined, here: unknown, path: Path): void => {
    if (node === undefined) return;
    if (typeof here === 'string') {
      if (node.pattern === undefined && node.format === undefined) return;
      if (here.length > MAX_MATCHED_TEXT) return void report(path, tooLong(here));
      squares += here.length ** 2;
      if (squares > MAX_SQUARES) report(path, TOO_MUCH);
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

function tooLong({ length }: string): string {
  return `found text of ${length} characters; allowed are ${MAX_MATCHED_TEXT} where it has to match something.`;
}

const TOO_MUCH =
  'found more text than is held against patterns and formats; ' +
  `allowed are ${MAX_SQUARES / MAX_MATCHED_TEXT ** 2} texts of ${MAX_MATCHED_TEXT} characters, or many that are shorter.`;

/** The schema that holds for a key of a map. */
export function childOf(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  const { properties, additionalProperties } = node ?? {};
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  return isMap(additionalProperties) ? (additionalProperties as SchemaNode) : undefined;
}
