/** Own properties only: `toString` is no property of `{}`, and `__proto__` is a name like any other. */
import { below, type Check, countWords, fail, type KindCheck, matches, onlyFor, spend } from './check.ts';
import { describeNames } from './describe-schema.ts';
import type { SchemaNode } from './schema-node.ts';

type JsonObject = Readonly<Record<string, unknown>>;

export function objectChecks(node: SchemaNode, compile: (node: SchemaNode) => Check): Check[] {
  const { required, minProperties, maxProperties } = node;
  const checks: KindCheck<JsonObject>[] = [];
  if (minProperties !== undefined || maxProperties !== undefined) {
    const [least, most] = [minProperties ?? 0, maxProperties ?? Number.POSITIVE_INFINITY];
    const message = countWords(least, most, 'properties');
    checks.push((value, run, at) => {
      const count = Object.keys(value).length;
      spend(run, count);
      return (count >= least && count <= most) || fail(run, at, message);
    });
  }
  if (required !== undefined && required.length > 0) checks.push(requiredCheck(required));
  if (node.properties ?? node.patternProperties ?? node.additionalProperties) {
    checks.push(propertiesCheck(node, compile));
  }
  return onlyFor(isObject, checks);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function requiredCheck(required: readonly string[]): KindCheck<JsonObject> {
  return (value, run, at) => {
    spend(run, required.length >> 2);
    let valid = true;
    for (const name of required) {
      if (Object.hasOwn(value, name)) continue;
      if (at === undefined) return false;
      valid = fail(run, below(at, name), 'is required');
    }
    return valid;
  };
}

function propertiesCheck(node: SchemaNode, compile: (node: SchemaNode) => Check): KindCheck<JsonObject> {
  const declared = new Map([...(node.properties ?? [])].map(([name, schema]) => [name, compile(schema)]));
  const byPattern = (node.patternProperties ?? []).map(([pattern, schema]) => [pattern, compile(schema)] as const);
  const rest = restCheck(node, compile);
  return (value, run, at) => {
    let valid = true;
    for (const name of Object.keys(value)) {
      spend(run, 1);
      const place = at === undefined ? undefined : below(at, name);
      const check = declared.get(name);
      let known = check !== undefined;
      let passed = check === undefined || check(value[name], run, place);
      for (const [pattern, patternCheck] of byPattern) {
        if (!matches(pattern, name, run)) continue;
        known = true;
        passed = patternCheck(value[name], run, place) && passed;
      }
      if (!known && rest !== undefined) passed = rest(value[name], run, place) && passed;
      if (passed) continue;
      if (at === undefined) return false;
      valid = false;
    }
    return valid;
  };
}

function restCheck(node: SchemaNode, compile: (node: SchemaNode) => Check): Check | undefined {
  if (node.additionalProperties === undefined) return undefined;
  if (node.additionalProperties.never !== true) return compile(node.additionalProperties);
  const message = `is not an allowed name; ${describeNames([...(node.properties?.keys() ?? [])])}`;
  return (_value, run, at) => fail(run, at, message);
}
