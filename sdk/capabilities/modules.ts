/** The guest's side of `modules`: calls what other modules offer. */
import { describeValue } from '../module/describe-value.ts';
import { toAuthorError } from '../module/errors.ts';
import type { HostBinding } from '../module/host-binding.ts';
import { invocationOf } from '../module/invocation-signal.ts';
import type { MethodResult, ModuleMethods } from '../module/method-types.ts';
import { toMethodText } from '../module/method-value.ts';
import type { CallRequest } from '../protocol/capabilities/modules.ts';
import { MAX_METHOD_ARGS, METHOD_NAME_PATTERN } from '../protocol/method-limits.ts';

export interface CallOptions {
  /**
   * The signal of the handler's context. The call ends with it, and is part of what that handler does: the method is told
   * which user it is for, and gets no more time than is left.
   */
  readonly signal?: AbortSignal;
  /** Milliseconds until the call is given up; the method has a limit of its own. */
  readonly timeoutMs?: number;
}

/** One other module, with the methods that it is known to have. */
export interface CallableModule<Methods> {
  /** See ModulesClient.call. */
  call<Name extends keyof Methods & string>(
    method: Name,
    args: Methods[Name] extends (args: infer Args, ...rest: never[]) => unknown ? Args : never,
    options?: CallOptions,
  ): Promise<MethodResult<Methods, Name>>;
}

export interface ModulesClient {
  /**
   * Calls a method that another module marks with @moduleMethod; needs the permission `modules:call:NAME`. A module that
   * sleeps is woken. Arguments and result are JSON. What comes back was checked by the host if the method has a schema for
   * it, and is another author's word in any case.
   * @throws TypeError when an argument is not allowed; PermissionDeniedError; an Error with code NOT_FOUND (no such module
   *   or method; it says what there is), INVALID_INPUT (the arguments do not fit), MODULE_HTTP_ERROR (the method refused,
   *   in its own words), MODULE_ERROR (it failed), MODULE_TIMEOUT, MODULE_UNAVAILABLE, MODULE_CRASHED, MODULE_OVERLOADED
   *   (too much to do, or modules that call each other too deep), QUOTA_EXCEEDED; the signal's reason when it aborts
   * @example
   * const meaning = await this.modules.call<string | null>('glossary', 'lookup', { term: 'host' }, { signal });
   */
  call<Result = unknown>(name: string, method: string, args?: unknown, options?: CallOptions): Promise<Result>;
  /**
   * The same with types: what the methods take and give, from an interface or from MethodsOf.
   * @throws TypeError when the name is none of a module
   * @example
   * const glossary = this.modules.of<{ lookup(args: { term: string }): string | null }>('glossary');
   * const meaning = await glossary.call('lookup', { term: 'host' }, { signal });
   */
  of<Methods extends ModuleMethods<Methods>>(name: string): CallableModule<Methods>;
}

const MODULE_NAME = /^[a-z][a-z0-9_]{1,63}$/;
const METHOD_NAME = new RegExp(METHOD_NAME_PATTERN);
const OPTIONS: readonly string[] = ['signal', 'timeoutMs'];
const MAX_TIMEOUT_MS = 3_600_000;

export function createModulesClient(host: HostBinding): ModulesClient {
  let lastId = 0;
  const call = async (name: string, method: string, args: unknown = null, options: CallOptions = {}) => {
    checkNames(name, method);
    checkOptions(`modules.call("${name}", "${method}")`, options);
    const { problem } = toMethodText(args, MAX_METHOD_ARGS);
    if (problem !== undefined) throw new TypeError(`modules.call("${name}", "${method}"): what it is given ${problem}`);
    const { signal, timeoutMs } = options;
    signal?.throwIfAborted();
    const within = invocationOf(signal);
    const request: CallRequest = {
      id: ++lastId,
      module: name,
      method,
      ...(within === undefined ? {} : { within }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    return callAbortable(host, request, args, signal);
  };
  return Object.freeze({
    call: call as ModulesClient['call'],
    of<Methods extends ModuleMethods<Methods>>(name: string) {
      checkName('modules.of', name);
      const callable = {
        call: (method: string, args: unknown, options?: CallOptions) => call(name, method, args, options),
      };
      return Object.freeze(callable) as unknown as CallableModule<Methods>;
    },
  });
}

async function callAbortable(
  host: HostBinding,
  request: CallRequest,
  args: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const call = host.call('modules', 'call', [request, args]);
  if (signal === undefined) return call.catch(rethrow);
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    host.call('modules', 'cancel', [request.id]).catch(() => {});
    aborted.reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([call, aborted.promise]);
  } catch (error) {
    return rethrow(error);
  } finally {
    signal.removeEventListener('abort', onAbort);
    // The loser of the race must not count as unhandled.
    call.catch(() => {});
  }
}

function rethrow(error: unknown): never {
  throw toAuthorError(error);
}

function checkNames(name: unknown, method: unknown): void {
  checkName('modules.call', name);
  if (typeof method === 'string' && METHOD_NAME.test(method)) return;
  throw new TypeError(
    `modules.call("${String(name)}"): the method must be the name of one with @moduleMethod, found ${describeValue(method)}.`,
  );
}

function checkName(caller: string, name: unknown): void {
  if (typeof name === 'string' && MODULE_NAME.test(name)) return;
  throw new TypeError(`${caller}: the name must be the module_name of another module, found ${describeValue(name)}.`);
}

function checkOptions(caller: string, options: CallOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `${caller}: the options must be an object such as { signal }, found ${describeValue(options)}.`,
    );
  }
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(`${caller}: the option "${unknown}" does not exist; allowed are ${OPTIONS.join(', ')}.`);
  }
  const { signal, timeoutMs } = options;
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw new TypeError(`${caller}: signal must be an AbortSignal, found ${describeValue(signal)}.`);
  }
  if (timeoutMs === undefined || (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS)) return;
  throw new TypeError(
    `${caller}: timeoutMs must be a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}, found ${describeValue(timeoutMs)}.`,
  );
}
