/**
 * The door between modules, in order: how deep → how many → which method → what it is given → until when → the module →
 * what it gave. Module code runs only after all of them said yes; that the caller may call was asked before.
 */
import { type InputIssue, PlexiError } from '@plexichat/sdk/protocol/errors';
import { structureCost } from '@plexichat/sdk/protocol/json-cost';
import {
  MAX_CALL_DEPTH,
  MAX_METHOD_ARGS,
  MAX_METHOD_COST,
  MAX_METHOD_DEPTH,
} from '@plexichat/sdk/protocol/method-limits';
import type { ModuleCall, ModulePort } from '../capabilities/modules.ts';
import { AT_REST } from '../modules/lifecycle.ts';
import type { MethodCall, ServedModule } from '../modules/served-module.ts';
import { type Check, createCheckRun, TooMuchWorkError } from '../policy/check.ts';
import { CallBounds, type CallPlace } from './call-bounds.ts';
import { createMethodPlans, type MethodPlan } from './method-plan.ts';

export interface MethodCallParts {
  readonly directory: { get(name: string): ServedModule | undefined; list(): readonly ServedModule[] };
  readonly maxTimeoutMs: number;
}

const MAX_NAMED = 50;
const MAX_SAID = 5;
const AFTER_CALLER_MS = 250;

export function createMethodCalls({ directory, maxTimeoutMs }: MethodCallParts): ModulePort {
  const plansOf = createMethodPlans(maxTimeoutMs);
  const bounds = new CallBounds();
  return {
    has: (name) => directory.get(name) !== undefined,
    names: () => directory.list().map(({ name }) => name),
    async call(call) {
      assertShallow(call);
      const place = bounds.enter(call.from, call.to);
      try {
        const module = findModule(directory, call.to);
        const plan = findMethod(plansOf(module), module, call.method);
        const args = checkArgs(call, plan, place);
        const { signal } = call;
        if (signal.aborted) throw new PlexiError('CLIENT_CLOSED', 'The call was given up.');
        return checkResult(call, plan, await module.callMethod(toMethodCall(call, plan, args), signal), place);
      } catch (error) {
        throw inWordsOfCaller(error, call);
      } finally {
        place.leave();
      }
    },
  };
}

function assertShallow({ depth, to, method }: ModuleCall): void {
  if (depth <= MAX_CALL_DEPTH) return;
  const found = `${to}.${method} would be number ${depth} of modules that call one another`;
  throw new PlexiError(
    'MODULE_OVERLOADED',
    `${found}, at most ${MAX_CALL_DEPTH} are allowed: do they call in a circle?`,
  );
}

function findModule(directory: MethodCallParts['directory'], name: string): ServedModule {
  const module = directory.get(name);
  if (module === undefined) throw new PlexiError('NOT_FOUND', `There is no module "${name}".`);
  if (!AT_REST.has(module.state)) return module;
  const state = module.isLoading === true ? 'being loaded' : module.state;
  throw new PlexiError('MODULE_UNAVAILABLE', `The module ${name} is ${state}.`, { headers: { 'retry-after': '1' } });
}

function findMethod(plans: ReadonlyMap<string, MethodPlan>, { name }: ServedModule, method: string): MethodPlan {
  const plan = plans.get(method);
  if (plan !== undefined) return plan;
  const known = plans.size === 0 ? 'none' : [...plans.keys()].slice(0, MAX_NAMED).join(', ');
  throw new PlexiError('NOT_FOUND', `The module ${name} offers no method "${method}"; it offers ${known}.`);
}

/** @returns the arguments as text of ours, with the defaults of the schema */
function checkArgs({ to, method, args }: ModuleCall, { args: rules }: MethodPlan, place: CallPlace): string {
  const what = `${to}.${method}: the arguments`;
  const given = JSON.stringify(args);
  const cost = given.length > MAX_METHOD_ARGS ? undefined : structureCost(given, MAX_METHOD_DEPTH);
  if (cost === undefined || cost > MAX_METHOD_COST) {
    const most = `${MAX_METHOD_ARGS} characters of JSON, ${MAX_METHOD_DEPTH} levels and about 13,000 keys`;
    throw new PlexiError('INVALID_CALL', `${what} are too large: at most ${most} are allowed.`);
  }
  place.spend(given.length + cost);
  if (rules === undefined) return given;
  const issues: InputIssue[] = [];
  let isChanged = false;
  const check: Check = (value, run, at) => {
    if (at === undefined) isChanged = rules.fill?.(value, run) ?? false;
    return rules.check(value, run, at);
  };
  if (runCheck(check, args, issues, place)) return isChanged ? JSON.stringify(args) : given;
  throw new PlexiError('INVALID_INPUT', `${what} are not valid: ${say(issues)}.`);
}

function toMethodCall(
  { from, method, within, depth, timeoutMs }: ModuleCall,
  plan: MethodPlan,
  args: string,
): MethodCall {
  const ownDeadline = Date.now() + Math.min(plan.timeoutMs, timeoutMs ?? Number.POSITIVE_INFINITY);
  return {
    method,
    args,
    caller: { module: from },
    user: within?.user ?? null,
    // Where it is known which invocation calls, no more time than it has left; its own end comes first, and is the answer.
    deadline: Math.min(ownDeadline, (within?.deadline ?? Number.POSITIVE_INFINITY) + AFTER_CALLER_MS),
    depth,
  };
}

function checkResult({ to, method }: ModuleCall, { result }: MethodPlan, text: string, place: CallPlace): unknown {
  const what = `${to}.${method} answered with what`;
  const cost = structureCost(text, MAX_METHOD_DEPTH);
  if (cost === undefined || cost > MAX_METHOD_COST) throw badResult(`${what} is too deep or too large`);
  place.spend(text.length + cost);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badResult(`${what} is not JSON`);
  }
  const issues: InputIssue[] = [];
  if (result === undefined || runCheck(result, value, issues, place)) return value;
  throw badResult(`${what} does not match its result schema: ${say(issues)}`);
}

/** The first pass is quick and silent; only a value that failed is walked again to say why. */
function runCheck(check: Check, value: unknown, issues: InputIssue[], place: CallPlace): boolean {
  const run = createCheckRun(issues);
  const allowed = run.stepsLeft;
  try {
    if (check(value, run)) return true;
    check(value, run, '');
    return false;
  } catch (error) {
    if (!(error instanceof TooMuchWorkError || error instanceof RangeError)) throw error;
    issues.push({ path: '', message: 'takes too much work to check; send less at once' });
    return false;
  } finally {
    place.spend(allowed - Math.max(0, run.stepsLeft));
  }
}

function say(issues: readonly InputIssue[]): string {
  const said = issues.slice(0, MAX_SAID).map(({ path, message }) => `${path === '' ? '/' : path} ${message}`);
  return issues.length > MAX_SAID ? `${said.join('; ')}; …` : said.join('; ');
}

function badResult(message: string): PlexiError {
  return new PlexiError('INVALID_MODULE_RESPONSE', `${message}.`);
}

/** What a client would be told of its request means nothing to a module that called another one. */
function inWordsOfCaller(error: unknown, { to, method }: ModuleCall): unknown {
  if (!(error instanceof PlexiError)) return error;
  const words = WORDS[error.code];
  return words === undefined ? error : new PlexiError(error.code, `${to}.${method} ${words}.`, { cause: error });
}

const WORDS: Readonly<Partial<Record<PlexiError['code'], string>>> = {
  CLIENT_CLOSED: 'was given up by its caller',
  MODULE_TIMEOUT: 'did not answer before the deadline',
  MODULE_CRASHED: 'ended before it could answer',
};
