/** What is worked out once per method that a module offers: its checks, its deadline. */
import type { Declaration, MethodDeclaration } from '@plexichat/sdk/protocol/declaration';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import type { ServedModule } from '../modules/served-module.ts';
import type { Check } from '../policy/check.ts';
import { compileCheck } from '../policy/compile-check.ts';
import { compileDefaults, type FillDefaults } from '../policy/defaults.ts';
import { createSchemaBudget, readSchema, SchemaRefusedError } from '../policy/schema.ts';
import type { SchemaBudget, SchemaNode } from '../policy/schema-node.ts';

export interface MethodPlan {
  /** undefined: the method takes whatever comes. */
  readonly args: { readonly check: Check; readonly fill: FillDefaults | undefined } | undefined;
  readonly result: Check | undefined;
  readonly timeoutMs: number;
}

/** By name; worked out on the first call, forgotten with the declaration. */
export function createMethodPlans(maxTimeoutMs: number): (module: ServedModule) => ReadonlyMap<string, MethodPlan> {
  const known = new WeakMap<Declaration, ReadonlyMap<string, MethodPlan>>();
  return ({ declaration, manifest }) => {
    const found = known.get(declaration);
    if (found !== undefined) return found;
    const budget = createSchemaBudget();
    const plans = new Map<string, MethodPlan>();
    for (const method of declaration.methods ?? []) {
      plans.set(method.name, planMethod(method, manifest, budget, maxTimeoutMs));
    }
    known.set(declaration, plans);
    return plans;
  };
}

/** What is wrong with the methods of a declaration, so that a module is refused when it is loaded. */
export function findMethodProblems(methods: readonly MethodDeclaration[] = [], manifest: Manifest): string[] {
  const budget = createSchemaBudget();
  const names = new Set<string>();
  return methods.flatMap((method) => {
    try {
      if (names.has(method.name)) return [`the method ${method.name} is declared twice`];
      names.add(method.name);
      planMethod(method, manifest, budget, Number.POSITIVE_INFINITY);
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : 'not readable'];
    }
  });
}

/** @throws Error that lists what the host cannot check safely */
function planMethod(
  { name, schemas, timeout }: MethodDeclaration,
  manifest: Manifest,
  budget: SchemaBudget,
  maxTimeoutMs: number,
): MethodPlan {
  const problems: string[] = [];
  const read = (key: 'params' | 'result'): SchemaNode | undefined => {
    if (schemas[key] === undefined) return undefined;
    try {
      return readSchema(schemas[key], budget);
    } catch (error) {
      if (!(error instanceof SchemaRefusedError)) throw error;
      problems.push(...error.problems.map((problem) => `the method ${name}: schema ${key}${problem}`));
      return undefined;
    }
  };
  const params = read('params');
  const result = read('result');
  if (problems.length > 0) throw new Error(problems.join('; '));
  return {
    args: params === undefined ? undefined : { check: compileCheck(params), fill: compileDefaults(params) },
    result: result === undefined ? undefined : compileCheck(result),
    timeoutMs: Math.min((timeout ?? manifest.runtime.timeout) * 1000, maxTimeoutMs),
  };
}
