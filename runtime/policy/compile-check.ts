/** Turns a schema that was read into one check. */
import { type Check, type CheckRun, every, fail, spend } from './check.ts';
import { arrayChecks } from './check-array.ts';
import { numberChecks } from './check-number.ts';
import { isObject, objectChecks } from './check-object.ts';
import { stringChecks } from './check-string.ts';
import { describeAlternatives, describeTypes, describeValues } from './describe-schema.ts';
import { canonicalJson, type JsonType, type SchemaNode } from './schema-node.ts';

export function compileCheck(node: SchemaNode): Check {
  if (node.never === true) return (_value, run, at) => fail(run, at, 'is not allowed');
  const checks = [
    ...typeChecks(node),
    ...valueChecks(node),
    ...stringChecks(node),
    ...numberChecks(node),
    ...objectChecks(node, compileCheck),
    ...arrayChecks(node, compileCheck),
    ...(node.allOf ?? []).map(compileCheck),
    ...alternativeChecks(node),
  ];
  return every(checks) ?? (() => true);
}

const IS_TYPE: Readonly<Record<JsonType, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => Number.isInteger(value),
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  string: (value) => typeof value === 'string',
  array: (value) => Array.isArray(value),
  object: isObject,
};

function typeChecks(node: SchemaNode): Check[] {
  if (node.types === undefined) return [];
  const tests = [...node.types].map((type) => IS_TYPE[type]);
  const message = `must be ${describeTypes(node.types)}`;
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return [(value, run, at) => only(value) || fail(run, at, message)];
  return [(value, run, at) => tests.some((test) => test(value)) || fail(run, at, message)];
}

function valueChecks(node: SchemaNode): Check[] {
  if (node.values === undefined) return [];
  const isContainer = (value: unknown) => typeof value === 'object' && value !== null;
  const simple = new Set(node.values.map(({ value }) => value).filter((value) => !isContainer(value)));
  const deep = new Set(node.values.filter(({ value }) => isContainer(value)).map(({ canonical }) => canonical));
  const message = `must be ${describeValues(node.values)}`;
  return [
    (value, run, at) => {
      if (simple.has(value)) return true;
      if (deep.size > 0 && isContainer(value)) {
        const text = canonicalJson(value);
        spend(run, text.length);
        if (deep.has(text)) return true;
      }
      return fail(run, at, message);
    },
  ];
}

function alternativeChecks(node: SchemaNode): Check[] {
  const checks: Check[] = [];
  if (node.anyOf !== undefined) {
    const branches = node.anyOf.map(compileCheck);
    const message = `must be ${describeAlternatives(node.anyOf)}`;
    checks.push((value, run, at) => countPassing(branches, value, run, 1) === 1 || fail(run, at, message));
  }
  if (node.oneOf !== undefined) {
    const branches = node.oneOf.map(compileCheck);
    const message = `must be exactly one of: ${describeAlternatives(node.oneOf)}`;
    checks.push((value, run, at) => countPassing(branches, value, run, 2) === 1 || fail(run, at, message));
  }
  if (node.not !== undefined) {
    const refused = compileCheck(node.not);
    checks.push((value, run, at) => !refused(value, run) || fail(run, at, 'has a form that is not allowed'));
  }
  return checks;
}

/** Counts up to `enough`; each branch that is tried is paid for. */
function countPassing(branches: readonly Check[], value: unknown, run: CheckRun, enough: number): number {
  let passing = 0;
  for (const branch of branches) {
    spend(run, 1);
    if (branch(value, run)) passing += 1;
    if (passing === enough) break;
  }
  return passing;
}
