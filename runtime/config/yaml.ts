/** YAML from strangers, read into plain JSON values, with the line and column of everything in it. */
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { contentIssues, MAX_DEPTH, placeOf, tooDeep } from './yaml-content.ts';
import type { Path, YamlIssue } from './yaml-issue.ts';

export interface YamlSource {
  readonly value: Record<string, unknown>;
  /** Where a key, or its value, is written; the nearest place above it when it is not there. */
  locate(path: Path, part: 'key' | 'value'): { line: number; column: number };
}

export type ReadYaml = { ok: true; source: YamlSource } | { ok: false; issues: YamlIssue[] };

const MAX_BYTES = 256 * 1024;

export function readYaml(text: string, file: string): ReadYaml {
  const refuse = (message: string): ReadYaml => ({
    ok: false,
    issues: [{ file, line: 1, column: 1, key: '', message }],
  });
  // Boundary: size and depth are checked before the parser sees a byte.
  if (text.length > MAX_BYTES || Buffer.byteLength(text) > MAX_BYTES) {
    return refuse(`The file is larger than ${MAX_BYTES / 1024} KB.`);
  }
  if (nestsTooDeep(text)) return refuse(tooDeep);

  const lines = new LineCounter();
  try {
    // uniqueKeys compares every key with every other one: contentIssues uses a set instead.
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      version: '1.2',
    });
    const issues = [...syntaxIssues(document, lines, file), ...contentIssues(document, lines, file)];
    if (issues.length > 0) return { ok: false, issues: issues.slice(0, 100) };
    if (document.contents === null) return refuse('The file is empty; a map of keys and values is expected.');
    if (!isMap(document.contents)) return refuse('The file is not a map of keys and values.');
    const value: Record<string, unknown> = document.toJS({ maxAliasCount: 0 });
    return { ok: true, source: { value, locate: (path, part) => locate(document.contents, lines, path, part) } };
  } catch (error) {
    return refuse(error instanceof RangeError ? tooDeep : 'The file cannot be read as YAML.');
  }
}

/** The parser calls itself for each level, so that one long line of brackets or dashes would cost it the stack. */
function nestsTooDeep(text: string): boolean {
  let brackets = 0;
  for (const line of text.split('\n')) {
    if (/^\s*([?:-]\s+){32}/.test(line)) return true;
    for (const character of line) {
      if (character === '[' || character === '{') brackets += 1;
      else if ((character === ']' || character === '}') && brackets > 0) brackets -= 1;
      // Brackets in texts and comments count too, hence the slack; contentIssues knows the true depth.
      if (brackets > MAX_DEPTH * 8) return true;
    }
  }
  return false;
}

function syntaxIssues(document: Document.Parsed, lines: LineCounter, file: string): YamlIssue[] {
  // A warning is an unknown tag, or a value that was guessed: nothing to run a module on.
  return [...document.errors, ...document.warnings].slice(0, 100).map((problem) => {
    const { line, col } = lines.linePos(problem.pos[0]);
    const message = SYNTAX_MESSAGES[problem.code] ?? `${problem.message.slice(0, 200)}.`;
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), key: '', message };
  });
}

const SYNTAX_MESSAGES: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'The file holds more than one YAML document (---); one is allowed.',
};

function locate(root: unknown, lines: LineCounter, path: Path, part: 'key' | 'value') {
  let node = root;
  let last = placeOf(node, lines);
  for (const [index, step] of path.entries()) {
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === step) : undefined;
    const next: unknown = isSeq(node) ? node.items[Number(step)] : pair?.value;
    const wantsValue = pair === undefined || (index === path.length - 1 && part === 'value' && isNode(next));
    const at = wantsValue ? next : pair.key;
    if (at === undefined) return last;
    last = placeOf(at, lines);
    node = next;
  }
  return last;
}
