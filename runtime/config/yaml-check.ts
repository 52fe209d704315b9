/** Holds a value from outside against a schema: every finding at once, defaults filled in, rules that no schema can say. */
import type { TSchema } from 'typebox';
import { Check } from 'typebox/schema';
import { isMap } from './is-map.ts';
import { findLongTexts } from './matched-texts.ts';
import { type Path, showValue } from './yaml-issue.ts';
import { didYouMean } from './yaml-nearest.ts';
import { asNode, describeAllowed, type SchemaNode } from './yaml-schema.ts';

export { isMap } from './is-map.ts';

export interface Finding {
  readonly path: Path;
  /** Whether the key or its value is to blame. */
  readonly part: 'key' | 'value';
  readonly message: string;
  /** A required key without a value; `checkSettings` treats these on their own. */
  readonly missing?: true;
}

/** Returns what is wrong with a value, or the findings below it; runs only on values that fit the schema. */
export type Rule = (value: unknown) => string | readonly { path: Path; message: string }[] | undefined;

/** Rules by path, `*` for every entry: `{ 'dependencies.*': dependencyRule }`. */
export type Rules = Readonly<Record<string, Rule>>;

export interface Checked {
  /** With defaults; of the schema's type only when there are no findings. */
  readonly value: unknown;
  readonly findings: Finding[];
}

export function checkValue(schema: TSchema | SchemaNode, value: unknown, rules: Rules = {}): Checked {
  const findings: Finding[] = [];
  const checked = walk(asNode(schema), value, [], findings);
  for (const [pattern, rule] of Object.entries(rules)) {
    for (const { path, value: found } of matches(checked, pattern.split('.'))) {
      if (findings.some((finding) => overlaps(finding.path, path))) continue;
      findings.push(...ruleFindings(rule(found), path));
    }
  }
  return { value: checked, findings };
}

function walk(schema: SchemaNode, value: unknown, path: Path, findings: Finding[]): unknown {
  const isSection = schema.type === 'object' && (schema.properties ?? schema.patternProperties) !== undefined;
  const isList = schema.type === 'array' && schema.items !== undefined;
  // `api:` with nothing below it is how people leave a section empty.
  const given = value === null && (isSection || isList) && schema.default !== undefined ? schema.default : value;
  if (isSection && isMap(given)) return walkMap(schema, given, path, findings);
  if (isList && Array.isArray(given)) return walkList(schema, given, path, findings);
  if (isSection || isList) return misfit(schema, given, path, findings);
  // Boundary: what is too long for a pattern never meets it.
  const long = findLongTexts(schema, given);
  for (const finding of long) findings.push({ ...finding, path: [...path, ...finding.path] });
  return long.length > 0 || Check(schema, given) ? given : misfit(schema, given, path, findings);
}

function misfit(schema: SchemaNode, given: unknown, path: Path, findings: Finding[]): unknown {
  // Boundary: what was meant to be a secret is not repeated in a message.
  const found = schema.writeOnly ? 'another value' : showValue(given);
  findings.push({ path, part: 'value', message: `found ${found}; allowed is ${describeAllowed(schema)}.` });
  return given;
}

function walkMap(schema: SchemaNode, value: Record<string, unknown>, path: Path, findings: Finding[]): unknown {
  const result: Record<string, unknown> = {};
  const properties = schema.properties ?? {};
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(properties, key)) continue;
    const free = freeSchema(schema, key);
    // Boundary: a key named __proto__ would be an assignment to the prototype below.
    if (free === undefined || key === '__proto__') {
      const message = `The key is not known.${didYouMean(key, Object.keys(properties))}`;
      findings.push({ path: [...path, key], part: 'key', message });
    } else {
      result[key] = walk(within(schema, free), value[key], [...path, key], findings);
    }
  }
  for (const [key, property] of Object.entries(properties)) {
    const here = [...path, key];
    if (Object.hasOwn(value, key) && value[key] !== undefined)
      result[key] = walk(within(schema, property), value[key], here, findings);
    else if (property.default !== undefined) result[key] = walk(property, structuredClone(property.default), here, []);
    else if (schema.required?.includes(key)) {
      const message = `The key is missing; allowed is ${describeAllowed(property)}.`;
      findings.push({ path: here, part: 'key', message, missing: true });
    }
  }
  return result;
}

/** The schema of a key that `properties` does not name; undefined when it may not be there. */
function freeSchema(schema: SchemaNode, key: string): SchemaNode | undefined {
  for (const [pattern, sub] of Object.entries(schema.patternProperties ?? {})) {
    if (new RegExp(pattern, 'u').test(key)) return sub;
  }
  if (schema.additionalProperties === false) return undefined;
  if (schema.patternProperties !== undefined && schema.additionalProperties === undefined) return undefined;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
}

function walkList(schema: SchemaNode, value: unknown[], path: Path, findings: Finding[]): unknown {
  if (!Check({ ...schema, items: {} }, value)) {
    findings.push({
      path,
      part: 'value',
      message: `found ${showValue(value)}; allowed is ${describeAllowed(schema)}.`,
    });
    return value;
  }
  const { items = {} } = schema;
  return value.map((item, index) => walk(within(schema, items), item, [...path, index], findings));
}

/** Boundary: what is below a secret is part of it. */
function within(outer: SchemaNode, inner: SchemaNode): SchemaNode {
  return outer.writeOnly === true && inner.writeOnly !== true ? { ...inner, writeOnly: true } : inner;
}

function matches(value: unknown, pattern: readonly string[], path: Path = []): { path: Path; value: unknown }[] {
  const [step, ...rest] = pattern;
  if (step === undefined) return value === undefined ? [] : [{ path, value }];
  if (Array.isArray(value) && step === '*') {
    return value.flatMap((item, index) => matches(item, rest, [...path, index]));
  }
  if (!isMap(value)) return [];
  const keys = step === '*' ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : [];
  return keys.flatMap((key) => matches(value[key], rest, [...path, key]));
}

function overlaps(left: Path, right: Path): boolean {
  const [short, long] = left.length < right.length ? [left, right] : [right, left];
  return short.every((step, index) => long[index] === step);
}

function ruleFindings(outcome: ReturnType<Rule>, path: Path): Finding[] {
  if (outcome === undefined) return [];
  const found = typeof outcome === 'string' ? [{ path: [], message: outcome }] : outcome;
  return found.map((finding) => ({ path: [...path, ...finding.path], part: 'value', message: finding.message }));
}
