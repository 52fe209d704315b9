import { type Check, countWords, fail, type KindCheck, matches, onlyFor, spend } from './check.ts';
import type { SchemaNode } from './schema-node.ts';

export function stringChecks(node: SchemaNode): Check[] {
  const { minLength, maxLength, pattern, format } = node;
  const checks: KindCheck<string>[] = [];
  if (minLength !== undefined || maxLength !== undefined) {
    checks.push(lengthCheck(minLength ?? 0, maxLength ?? Number.POSITIVE_INFINITY));
  }
  if (pattern !== undefined) {
    const message = `must match the pattern ${pattern.source}`;
    checks.push((text, run, at) => matches(pattern, text, run) || fail(run, at, message));
  }
  if (format !== undefined) {
    checks.push((text, run, at) => format.test(text) || fail(run, at, `must be ${format.words}`));
  }
  return onlyFor(isString, checks);
}

/** JSON Schema counts code points; the number of code units alone decides most cases. */
function lengthCheck(least: number, most: number): KindCheck<string> {
  const message = countWords(least, most, 'characters');
  return (text, run, at) => {
    if (text.length < least || text.length > 2 * most) return fail(run, at, message);
    if (text.length >= 2 * least && text.length <= most) return true;
    spend(run, text.length);
    const points = countCodePoints(text);
    return (points >= least && points <= most) || fail(run, at, message);
  };
}

function countCodePoints(text: string): number {
  let count = text.length;
  for (let index = 1; index < text.length; index += 1) {
    const pair = (text.charCodeAt(index) & 0xfc00) === 0xdc00 && (text.charCodeAt(index - 1) & 0xfc00) === 0xd800;
    if (pair) count -= 1;
  }
  return count;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
