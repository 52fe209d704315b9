import { type Check, countWords, fail, type KindCheck, MAX_ISSUES, onlyFor, spend } from './check.ts';
import { canonicalJson, type SchemaNode } from './schema-node.ts';

export function arrayChecks(node: SchemaNode, compile: (node: SchemaNode) => Check): Check[] {
  const { minItems, maxItems } = node;
  const checks: KindCheck<readonly unknown[]>[] = [];
  if (minItems !== undefined || maxItems !== undefined) {
    const [least, most] = [minItems ?? 0, maxItems ?? Number.POSITIVE_INFINITY];
    const message = countWords(least, most, 'items');
    checks.push((items, run, at) => (items.length >= least && items.length <= most) || fail(run, at, message));
  }
  if (node.prefixItems !== undefined || node.items !== undefined) checks.push(itemsCheck(node, compile));
  if (node.uniqueItems === true) checks.push(uniqueCheck);
  return onlyFor(isArray, checks);
}

function itemsCheck(node: SchemaNode, compile: (node: SchemaNode) => Check): KindCheck<readonly unknown[]> {
  const prefix = (node.prefixItems ?? []).map(compile);
  const rest = node.items === undefined ? undefined : compile(node.items);
  return (items, run, at) => {
    const last = rest === undefined ? Math.min(items.length, prefix.length) : items.length;
    let valid = true;
    for (let index = 0; index < last; index += 1) {
      spend(run, 1);
      const check = prefix[index] ?? rest;
      if (check === undefined || check(items[index], run, at === undefined ? undefined : `${at}/${index}`)) continue;
      if (at === undefined || run.issues.length >= MAX_ISSUES) return false;
      valid = false;
    }
    return valid;
  };
}

function uniqueCheck(items: readonly unknown[], run: Parameters<Check>[1], at: string | undefined): boolean {
  const seen = new Set<string>();
  for (const item of items) {
    const text = canonicalJson(item);
    spend(run, text.length);
    if (seen.has(text)) return fail(run, at, 'must not have the same item twice');
    seen.add(text);
  }
  return true;
}

function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
