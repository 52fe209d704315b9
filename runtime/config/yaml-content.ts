/** What may stand in a YAML file of ours beyond good syntax: plain JSON values under text keys, nothing clever. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type LineCounter,
  visit,
} from 'yaml';
import { formatPath, type Path, type YamlIssue } from './yaml-issue.ts';

export const MAX_DEPTH = 32;
export const tooDeep = `The file nests deeper than ${MAX_DEPTH} levels.`;

const MAX_ISSUES = 100;

export function contentIssues(document: Document.Parsed, lines: LineCounter, file: string): YamlIssue[] {
  const issues: YamlIssue[] = [];
  const report = (node: unknown, path: Path, message: string) =>
    issues.push({ file, ...placeOf(node, lines), key: formatPath(path), message });

  visit(document, (_, node, ancestors) => {
    if (ancestors.length > MAX_DEPTH && ancestors.filter(isCollection).length > MAX_DEPTH) {
      report(node, [], tooDeep);
      return visit.BREAK;
    }
    if (isMap(node)) reportKeys(node.items, pathOf([...ancestors, node]), report);
    const problem = problemOf(node);
    if (problem !== undefined) report(node, pathOf([...ancestors, node]), problem);
    return issues.length >= MAX_ISSUES ? visit.BREAK : undefined;
  });
  return issues;
}

const PLAIN_TAGS = new Set(
  ['map', 'seq', 'str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`),
);

function problemOf(node: unknown): string | undefined {
  // Boundary: aliases make small files large, and maps that hold themselves.
  if (isAlias(node)) return `Aliases (*${node.source}) are not allowed; write the value again.`;
  if (!isNode(node)) return undefined;
  if (node.tag !== undefined && !PLAIN_TAGS.has(node.tag)) {
    return `The tag ${node.tag} is not allowed; allowed are plain values.`;
  }
  if (isScalar(node) && typeof node.value === 'number' && !isExact(node.value)) {
    return `The number ${node.source ?? node.value} cannot be kept exactly; write it in quotes.`;
  }
  return undefined;
}

function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}

function reportKeys(
  items: readonly { key: unknown }[],
  path: Path,
  report: (node: unknown, path: Path, message: string) => void,
): void {
  const seen = new Set<string>();
  for (const { key } of items) {
    if (!isScalar(key) || typeof key.value !== 'string') {
      report(key, path, 'A key must be text.');
      continue;
    }
    // Boundary: this one name would set the prototype of an object instead of a key.
    if (key.value === '__proto__') report(key, path, 'The key __proto__ is not allowed.');
    if (seen.has(key.value)) report(key, [...path, key.value], 'The key is written twice; once is allowed.');
    seen.add(key.value);
  }
}

/** The keys and positions on the way down to the last of these nodes. */
function pathOf(nodes: readonly unknown[]): Path {
  return nodes.flatMap((node, index): (string | number)[] => {
    if (isPair(node) && isScalar(node.key)) return [String(node.key.value)];
    const at = isSeq(node) ? node.items.indexOf(nodes[index + 1]) : -1;
    return at < 0 ? [] : [at];
  });
}

export function placeOf(node: unknown, lines: LineCounter): { line: number; column: number } {
  const range = isNode(node) ? node.range : undefined;
  if (!range) return { line: 1, column: 1 };
  const { line, col } = lines.linePos(range[0]);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
