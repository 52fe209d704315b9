/** Everything about an endpoint that does not change from request to request, worked out once. */
import type { EndpointDeclaration } from '@plexichat/sdk/protocol/declaration';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { type AccessRule, accessRule } from '../policy/authorize.ts';
import type { AnswerRules } from '../policy/check-answer.ts';
import { compileCheck } from '../policy/compile-check.ts';
import { type RateRule, ratePolicy } from '../policy/rate-limit.ts';
import { createSchemaBudget, readSchema, SchemaRefusedError } from '../policy/schema.ts';
import type { SchemaBudget } from '../policy/schema-node.ts';
import { compileRecord, compileValue, type InputRules } from '../policy/validate.ts';
import { paramNames, pathProblem } from './declared-path.ts';

export interface EndpointPlan {
  readonly handler: string;
  readonly method: string;
  readonly path: string;
  readonly paramNames: readonly string[];
  /** Index of the first segment that `*` takes. */
  readonly restFrom: number | undefined;
  readonly access: AccessRule;
  readonly rateRules: readonly RateRule[];
  readonly ratePolicy: string;
  /** undefined when the module checks its input itself. */
  readonly input: InputRules | undefined;
  readonly answer: AnswerRules;
  readonly timeoutMs: number;
  /** 0: answers are not kept. */
  readonly cacheTtlMs: number;
  readonly cacheKeyPrefix: string;
  /** What answers depend on besides the URL, for the caches of others. */
  readonly vary: string;
}

export interface PlanLimits {
  readonly maxTimeoutMs: number;
  readonly bodyBytes: number;
}

export interface PlanFacts {
  readonly manifest: Manifest;
  readonly budget: SchemaBudget;
  /** Starts the cache key of everything that this version of this module answers. */
  readonly cacheScope: string;
  readonly limits: PlanLimits;
}

/** @throws Error that lists what the host cannot serve safely */
export function planEndpoint(endpoint: EndpointDeclaration, facts: PlanFacts): EndpointPlan {
  const { manifest, limits } = facts;
  const problem = pathProblem(endpoint.path);
  if (problem !== undefined) throw new Error(`${endpoint.handler}: the path ${problem}`);
  const rateRules = rateRulesOf(endpoint, manifest);
  const timeoutMs = (endpoint.timeout ?? manifest.runtime.timeout) * 1000;
  const cacheTtlMs = endpoint.method === 'GET' ? (endpoint.cacheTtl ?? 0) * 1000 : 0;
  return {
    handler: endpoint.handler,
    method: endpoint.method,
    path: endpoint.path,
    paramNames: paramNames(endpoint.path),
    restFrom: endpoint.path.endsWith('/*') ? endpoint.path.split('/').length - 1 : undefined,
    access: accessRule(manifest, endpoint),
    rateRules,
    ratePolicy: ratePolicy(rateRules),
    ...planSchemas(endpoint, facts),
    timeoutMs: Math.min(timeoutMs, limits.maxTimeoutMs),
    cacheTtlMs,
    cacheKeyPrefix: `${facts.cacheScope}${JSON.stringify(endpoint.handler)}\n`,
    vary: varyOf(endpoint.method, cacheTtlMs > 0),
  };
}

function varyOf(method: string, isKept: boolean): string {
  if (method !== 'GET') return '';
  return isKept ? `${CREDENTIALS}, accept, accept-language` : CREDENTIALS;
}

const CREDENTIALS = 'authorization, x-api-key';

/**
 * What is wrong with the endpoints of a declaration, so that a module can be refused when it is loaded
 * and not when it is called.
 */
export function findEndpointProblems(endpoints: readonly EndpointDeclaration[], manifest: Manifest): string[] {
  const facts: PlanFacts = {
    manifest,
    budget: createSchemaBudget(),
    cacheScope: '',
    limits: { maxTimeoutMs: Number.POSITIVE_INFINITY, bodyBytes: 0 },
  };
  return endpoints.flatMap((endpoint) => {
    try {
      planEndpoint(endpoint, facts);
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : 'not readable'];
    }
  });
}

function rateRulesOf(endpoint: EndpointDeclaration, manifest: Manifest): RateRule[] {
  const rules: RateRule[] = [];
  const name = manifest.module_name;
  if (endpoint.rateLimit !== undefined) {
    rules.push({ name: 'endpoint', key: `${name}\n${JSON.stringify(endpoint.handler)}`, limit: endpoint.rateLimit });
  }
  if (manifest.security.rate_limiting) rules.push({ name: 'module', key: name, limit: manifest.api.rate_limit });
  return rules;
}

function planSchemas({ handler, schemas, validateInput }: EndpointDeclaration, { budget, limits }: PlanFacts) {
  const problems: string[] = [];
  const compile = <Rules>(name: keyof typeof schemas, make: (node: ReturnType<typeof readSchema>) => Rules) => {
    if (schemas[name] === undefined) return undefined;
    try {
      return make(readSchema(schemas[name], budget));
    } catch (error) {
      if (!(error instanceof SchemaRefusedError)) throw error;
      problems.push(...error.problems.map((problem) => `${handler}: schema ${name}${problem}`));
      return undefined;
    }
  };
  const params = compile('params', compileRecord);
  const query = compile('query', compileRecord);
  const body = compile('body', compileValue);
  const response = compile('response', compileCheck);
  if (problems.length > 0) throw new Error(problems.join('; '));
  const input: InputRules = {
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { query }),
    ...(body === undefined ? {} : { body }),
  };
  return { input: validateInput ? input : undefined, answer: { response, maxCheckedBytes: limits.bodyBytes } };
}
