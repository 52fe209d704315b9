/** Runs one module: learns what it declares, starts it, runs its handlers, stops it. Used by the kernel and by tests. */
import type { Declaration } from '../protocol/declaration.ts';
import type { EventOutcome, EventRequest } from '../protocol/events.ts';
import type { BodyRef, EndpointRequest, Outcome } from '../protocol/invocation.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { MethodOutcome, MethodRequest } from '../protocol/methods.ts';
import type { TaskOutcome, TaskRequest } from '../protocol/tasks.ts';
import { constructWith } from './active-host.ts';
import { type BaseModule, CHANGE_SETTINGS, MODULE_BRAND, SUBSCRIPTIONS } from './base-module.ts';
import { type DeclaredEndpoint, type DeclaredEvent, declare } from './declare.ts';
import { InvocationContext } from './endpoint-context.ts';
import { RunningEvent } from './event-context.ts';
import type { HostBinding } from './host-binding.ts';
import { RunningMethod } from './method-context.ts';
import { messageOf, toFailure, toOutcome } from './outcome.ts';
import { runEvent } from './run-event.ts';
import { runMethod } from './run-method.ts';
import { runTask } from './run-task.ts';
import { RunningTask } from './task-context.ts';

export interface ModuleRunner {
  readonly declaration: Declaration;
  /** Checks the settings, then lets the module prepare itself. @throws Error that names the step */
  initialize(): Promise<void>;
  /** Runs one endpoint; never rejects. */
  invoke(request: EndpointRequest, body: BodyRef): Promise<Outcome>;
  /** Runs one task; never rejects. */
  runTask(request: TaskRequest, data: unknown): Promise<TaskOutcome>;
  /** Runs one handler of an event; never rejects. */
  event(request: EventRequest, data: unknown): Promise<EventOutcome>;
  /** Runs a method that it offers to others; never rejects. */
  callMethod(request: MethodRequest, args: unknown): Promise<MethodOutcome>;
  /** Tells it of other settings, once it has been initialised. @throws Error that names the step */
  changeSettings(settings: unknown): Promise<void>;
  /** Aborts the signal of an invocation; false when it is not running. */
  cancel(invocation: number): boolean;
  shutdown(): Promise<void>;
}

type ModuleClass = new () => BaseModule;

/**
 * @param namespace the exports of the module's bundle
 * @throws TypeError when the module is not built as the guide says
 */
export function createRunner(namespace: unknown, manifest: Manifest, host: HostBinding): ModuleRunner {
  const Module = findClass(namespace, manifest);
  const className = Module.name === '' ? manifest.module_name : Module.name;
  const instance = constructWith({ manifest, host }, () => step(`new ${className}()`, () => new Module()));
  if (typeof instance.setupRoutes !== 'function') {
    throw new TypeError(
      `new ${className}() gave something that is no module; its constructor must not return an object.`,
    );
  }
  step(`${className}.setupRoutes()`, () => refusePromise(instance.setupRoutes(), className));
  const { declaration, endpoints, tasks, events, methods } = declare(instance, className, manifest);
  const running = new Map<number, { cancel(): void }>();
  const initialize = async (): Promise<void> => {
    await stepAsync(`${className}.validateConfig()`, () => instance.validateConfig());
    await stepAsync(`${className}.initialize()`, () => instance.initialize());
  };
  let initialized: Promise<void> = Promise.resolve();

  return {
    declaration,
    initialize() {
      initialized = initialize();
      return initialized;
    },
    async changeSettings(settings) {
      await initialized;
      const previous = instance[CHANGE_SETTINGS](settings);
      const next = instance.config.settings;
      await stepAsync(`${className}.onSettingsChanged()`, () =>
        instance.onSettingsChanged?.(next, previous as typeof next),
      );
    },
    invoke(request, body) {
      const endpoint = endpoints.get(request.handler);
      if (endpoint === undefined) return Promise.resolve(unknownHandler(className, request.handler));
      const context = new InvocationContext(request, body, host);
      running.set(request.invocation, context);
      return run(endpoint, context, host, () => running.delete(request.invocation));
    },
    runTask(request, data) {
      const task = tasks.get(request.task);
      if (task === undefined) return Promise.resolve(unknownTask(className, request.task));
      const context = new RunningTask(request, data, task.name, host);
      running.set(request.invocation, context);
      return runTask(task, context, host, () => running.delete(request.invocation));
    },
    async event(request, data) {
      const { handler, invocation, name } = request;
      const listener =
        typeof handler === 'string' ? events.get(handler) : subscribed(instance, handler, className, name);
      // Somebody unsubscribed while the event was on its way.
      if (listener === undefined) return { ok: true };
      const event = new RunningEvent(request, data);
      running.set(invocation, event);
      const outcome = await runEvent(listener.run, event, listener.name, host);
      running.delete(invocation);
      return outcome;
    },
    async callMethod(request, args) {
      const method = methods.get(request.method);
      if (method === undefined) return unknownMethod(className, request.method);
      const context = new RunningMethod(request);
      running.set(request.invocation, context);
      const outcome = await runMethod(method, args, context, host);
      running.delete(request.invocation);
      return outcome;
    },
    cancel(invocation) {
      const context = running.get(invocation);
      context?.cancel();
      return context !== undefined;
    },
    async shutdown() {
      for (const context of running.values()) context.cancel();
      await stepAsync(`${className}.shutdown()`, () => instance.shutdown());
    },
  };
}

function subscribed(instance: BaseModule, id: number, className: string, name: string): DeclaredEvent | undefined {
  const run = instance[SUBSCRIPTIONS].get(id);
  return run === undefined ? undefined : { run, name: `${className}'s subscriber to ${name}` };
}

/** A handler that is not async costs no turn of the job queue here. */
function run(
  endpoint: DeclaredEndpoint,
  context: InvocationContext,
  host: HostBinding,
  done: () => void,
): Promise<Outcome> {
  const finish = (outcome: Outcome): Outcome => {
    done();
    context.finish();
    return outcome;
  };
  // An answer in pieces outlives the handler, and so does the signal that it was given.
  const onCancel = (): void => context.cancel();
  try {
    const value = endpoint.run(context);
    if (!isThenable(value)) return Promise.resolve(finish(toOutcome(value, endpoint.name, host, onCancel)));
    return Promise.resolve(value).then(
      (result) => finish(toOutcome(result, endpoint.name, host, onCancel)),
      (error) => finish(toFailure(error, endpoint.name, host)),
    );
  } catch (error) {
    return Promise.resolve(finish(toFailure(error, endpoint.name, host)));
  }
}

function findClass(namespace: unknown, manifest: Manifest): ModuleClass {
  const exported = readDefault(namespace);
  if (typeof exported !== 'function') {
    const found =
      exported === undefined ? 'there is none' : `it is ${exported === null ? 'null' : `of type ${typeof exported}`}`;
    throw new TypeError(
      `${manifest.module_name}: the default export must be a class that extends BaseModule, but ${found}. Write "export default class … extends BaseModule" in module.ts.`,
    );
  }
  if (!(MODULE_BRAND in exported)) {
    throw new TypeError(
      `${manifest.module_name}: the default export ${exported.name || '(no name)'} does not extend BaseModule of @plexichat/sdk.`,
    );
  }
  return exported as unknown as ModuleClass;
}

/** A CommonJS bundle may nest the default once more, or be the class itself. */
function readDefault(namespace: unknown): unknown {
  let found: unknown = namespace;
  for (let level = 0; level < 2; level++) {
    if (typeof found !== 'object' || found === null || !('default' in found)) break;
    found = found.default;
  }
  return found === namespace && typeof found !== 'function' ? undefined : found;
}

function step<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new Error(`${name} failed: ${messageOf(error)}`, { cause: error });
  }
}

async function stepAsync(name: string, work: () => undefined | void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Error(`${name} failed: ${messageOf(error)}`, { cause: error });
  }
}

function refusePromise(result: unknown, className: string): void {
  if (!isThenable(result)) return;
  result.then(undefined, () => {});
  throw new TypeError(`it must not be async; do waiting work in ${className}.initialize()`);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function unknownHandler(className: string, handler: string): Outcome {
  return { ok: false, code: 'MODULE_ERROR', message: `${className} has no handler "${handler}".` };
}

function unknownTask(className: string, task: string): TaskOutcome {
  return { ok: false, code: 'MODULE_ERROR', message: `${className} has no task "${task}".` };
}

function unknownMethod(className: string, method: string): MethodOutcome {
  return { ok: false, code: 'MODULE_ERROR', message: `${className} offers no method "${method}".` };
}
