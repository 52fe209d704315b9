/** Settings from environment variables: `PREFIX__A__B=text` sets `a.b`, with the type that the schema wants. */
import { Check } from 'typebox/schema';
import { isMap } from './is-map.ts';
import { findLongTexts } from './matched-texts.ts';
import type { Path, YamlIssue } from './yaml-issue.ts';
import { didYouMean } from './yaml-nearest.ts';
import type { SchemaNode } from './yaml-schema.ts';

export interface EnvironmentOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** With its last underscores: `PLEXI_MODULE__WEATHER__`, or `PLEXI_`. */
  readonly prefix: string;
  readonly schema: SchemaNode;
  /** Keys and variables that are not ours to set, or mean something else. */
  readonly skip?: (variable: string) => boolean;
}

export interface Override {
  readonly path: Path;
  readonly variable: string;
}

export interface Overridden {
  readonly value: Record<string, unknown>;
  readonly overrides: Override[];
  readonly issues: YamlIssue[];
}

export function applyEnvironment(value: Record<string, unknown>, options: EnvironmentOptions): Overridden {
  const result: Overridden = { value: structuredClone(value), overrides: [], issues: [] };
  for (const variable of Object.keys(options.environment).sort()) {
    const text = options.environment[variable];
    if (text === undefined || !variable.startsWith(options.prefix) || options.skip?.(variable)) continue;
    const steps = variable.slice(options.prefix.length).split('__');
    const problem = setAt(result.value, steps, options.schema, text);
    if (Array.isArray(problem)) result.overrides.push({ path: problem, variable });
    else result.issues.push(environmentIssue(variable, problem));
  }
  return result;
}

export function environmentIssue(variable: string, message: string, key = ''): YamlIssue {
  return { file: 'environment', line: 0, column: 0, key, message: `${variable}: ${message}` };
}

/** Returns the path that was set, or what is wrong. */
function setAt(
  root: Record<string, unknown>,
  steps: readonly string[],
  schema: SchemaNode,
  text: string,
): string[] | string {
  const path: string[] = [];
  let here = root;
  let node: SchemaNode | undefined = schema;
  for (const [index, step] of steps.entries()) {
    const key: string | undefined = findKey(step, node, here);
    if (key === undefined) {
      const known = Object.keys(node?.properties ?? {});
      return `no key has the name "${step.toLowerCase()}".${didYouMean(step.toLowerCase(), known)}`;
    }
    path.push(key);
    node = schemaOf(node, key);
    if (index === steps.length - 1) {
      here[key] = typed(text, node, here[key]);
      return path;
    }
    if (!isMap(here[key])) {
      if (here[key] !== undefined && here[key] !== null)
        return `"${path.join('.')}" is not a map, it has no keys to set.`;
      here[key] = {};
    }
    here = here[key] as Record<string, unknown>;
  }
  return 'a key is missing in the name of the variable.';
}

/** Keys are found whatever their case; a new free key is written in lower case. */
function findKey(step: string, node: SchemaNode | undefined, here: Record<string, unknown>): string | undefined {
  const wanted = step.toLowerCase();
  // Boundary: a name from outside becomes a key of an object.
  if (wanted === '' || wanted === '__proto__') return undefined;
  const known = [...Object.keys(node?.properties ?? {}), ...Object.keys(here)];
  const found = known.find((key) => key.toLowerCase() === wanted);
  if (found !== undefined) return found;
  return node?.additionalProperties === false && node.patternProperties === undefined ? undefined : wanted;
}

function schemaOf(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  if (node?.properties && Object.hasOwn(node.properties, key)) return node.properties[key];
  const free = Object.entries(node?.patternProperties ?? {}).find(([pattern]) => new RegExp(pattern, 'u').test(key));
  if (free !== undefined) return free[1];
  return typeof node?.additionalProperties === 'object' ? node.additionalProperties : undefined;
}

/** A text that fits no type stays a text: the check against the schema then says what is allowed. */
function typed(text: string, schema: SchemaNode | undefined, before: unknown): unknown {
  const free = schema === undefined || Object.keys(schema).every((word) => word === 'description');
  if (free) return typeof before === 'string' ? text : plain(text);
  // Boundary: nor does a pattern see what is too long for it; the check says so later.
  if (findLongTexts(schema, text).length > 0 || Check(schema, text)) return text;
  const value = plain(text);
  return schema.type === 'string' ? text : value;
}

function plain(text: string): unknown {
  const isNumber = text.trim() !== '' && String(Number(text)) === text && Number.isFinite(Number(text));
  if (!isNumber && !/^(true|false|null|\[.*\]|\{.*\})$/s.test(text.trim())) return text;
  try {
    return JSON.parse(text, (key, value) => {
      if (key === '__proto__') throw new SyntaxError('The key __proto__ is not allowed.');
      return value;
    });
  } catch {
    return text;
  }
}
