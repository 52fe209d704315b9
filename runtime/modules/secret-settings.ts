/** Which settings of a module are secret, by its settings_schema; named as operators write them: `smtp.password`. */

import { findLongTexts } from '../config/matched-texts.ts';
import { checkValue, isMap } from '../config/yaml-check.ts';
import type { SchemaNode } from '../config/yaml-schema.ts';

const STEP = /^[A-Za-z0-9_-]{1,64}$/;
/** Names of the prototype; none of them is a setting. */
const NO_STEP: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const MAX_STEPS = 6;
const MAX_LISTED = 500;
/** As JSON. */
export const MAX_SECRET = 16 * 1024;

/** All that is shown of a secret. */
export const HIDDEN = '***';

/** Boundary: the schema of a setting that is marked writeOnly itself; undefined for everything else. */
export function findSecretNode(schema: unknown, setting: string): SchemaNode | undefined {
  const steps = setting.split('.');
  if (steps.length > MAX_STEPS || !steps.every(isStep)) return undefined;
  let node: unknown = schema;
  for (const [index, step] of steps.entries()) {
    if (!isMap(node)) return undefined;
    const { properties, additionalProperties } = node;
    node = isMap(properties) && Object.hasOwn(properties, step) ? properties[step] : additionalProperties;
    // What is below a secret is part of it, and set with it.
    if (isMap(node) && node.writeOnly === true && index < steps.length - 1) return undefined;
  }
  return isMap(node) && node.writeOnly === true ? (node as SchemaNode) : undefined;
}

/** Those that the schema names; free keys may be secret besides. */
export function listSecretSettings(schema: unknown): string[] {
  const found: string[] = [];
  const visit = (node: unknown, path: readonly string[]): void => {
    if (!isMap(node) || !isMap(node.properties) || path.length >= MAX_STEPS) return;
    for (const [step, below] of Object.entries(node.properties)) {
      if (!isStep(step) || found.length >= MAX_LISTED || !isMap(below)) continue;
      if (below.writeOnly === true) found.push([...path, step].join('.'));
      else visit(below, [...path, step]);
    }
  };
  visit(schema, []);
  return found;
}

/** Whether a module's settings hold something there. */
export function hasSetting(settings: unknown, setting: string): boolean {
  let here: unknown = settings;
  for (const step of setting.split('.')) {
    if (!isMap(here) || !Object.hasOwn(here, step)) return false;
    here = here[step];
  }
  return here !== undefined && here !== null;
}

/** Why this cannot be the value; its words never hold it. */
export function secretProblem(node: SchemaNode, value: unknown): string | undefined {
  if (JSON.stringify(value).length > MAX_SECRET) return `must have at most ${MAX_SECRET} characters as JSON`;
  if (typeof value === 'string' && (value === '' || !value.isWellFormed())) return 'must be text, not empty';
  const [long] = findLongTexts(node, value);
  return (long ?? checkValue(node, value).findings[0])?.message;
}

function isStep(step: string): boolean {
  return STEP.test(step) && !NO_STEP.has(step);
}
