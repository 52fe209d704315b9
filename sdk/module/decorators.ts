/** The decorators of handlers. They record what the author says; nothing runs, nothing is registered. */
import type { ContextOf, EndpointOptions, Exactly, FittingHandler, PathOf, Route } from './endpoint-types.ts';
import type { ArgsOf, ExactMethod, FittingMethod } from './method-types.ts';
import { type MethodOptions, type PageOptions, record, type TaskOptions } from './records.ts';
import type { TaskContext } from './task-context.ts';

type MethodDecorator<Handler> = (handler: Handler, context: ClassMethodDecoratorContext) => void;

/**
 * Serves a method at `prefix + path`. `:name` is a parameter, a last `*` takes the rest of the path.
 * @throws TypeError on a private, static or symbol-named method
 * @example
 * class Notes extends BaseModule {
 *   @moduleEndpoint('GET /notes/:id', { permissions: ['read'], rateLimit: 30, params: Type.Object({ id: Type.Integer() }) })
 *   async getNote({ params }: EndpointContext<{ params: { id: number } }>) {
 *     return { id: params.id };
 *   }
 * }
 */
export function moduleEndpoint<const RouteText extends Route, const Options extends EndpointOptions = object>(
  route: RouteText,
  options?: Exactly<Options>,
): <Handler>(
  handler: Handler & FittingHandler<Handler, ContextOf<PathOf<RouteText>, Options>>,
  context: ClassMethodDecoratorContext,
) => void {
  return (_handler, context) =>
    record('moduleEndpoint', context, (name) => ({ kind: 'endpoint', name, route, options: options ?? {} }));
}

/**
 * Runs a method in the background: on its schedule, when `this.tasks.enqueue` names it, or when an operator does.
 * At least once: a run that was cut off (a crash, a restart) starts again, see TaskContext. Seconds, not milliseconds.
 * @throws TypeError on a private, static or symbol-named method; when the module is loaded, on an option that is not
 *   allowed
 * @example
 * class Cleanup extends BaseModule {
 *   @moduleTask({ schedule: '0 2 * * *', timezone: 'Europe/Berlin', retryCount: 3, timeout: 300 })
 *   async removeOldNotes({ progress, signal }: TaskContext) {
 *     progress(50, 'halfway');
 *     signal.throwIfAborted();
 *   }
 *
 *   @moduleTask({ schedule: false })
 *   async sendWelcome({ job }: TaskContext<{ userId: string }>) {
 *     this.logger.info('Welcome', { user: job.data.userId });
 *   }
 * }
 */
export function moduleTask(
  options: TaskOptions = {},
): <Handler>(
  handler: Handler & FittingHandler<Handler, TaskContext<never>>,
  context: ClassMethodDecoratorContext,
) => void {
  return (_handler, context) => record('moduleTask', context, (name) => ({ kind: 'task', name, options }));
}

/**
 * Runs a method for each event of that name; `message.*` stands for every last word. The module is woken for it, each
 * event reaches the handler at most once and in the order of its subscriber, on one host only. Names that do not begin
 * with `module.` need the permission `events:subscribe:PATTERN`.
 * @throws TypeError on a private, static or symbol-named method; when the module is loaded, on what is no pattern
 * @example
 * class Greeter extends BaseModule {
 *   @moduleEvent('user.login')
 *   async onUserLogin(data: { user_id: string }, event: ModuleEvent) {
 *     await this.sendNotification({ userId: data.user_id, title: 'Welcome back', message: event.at });
 *   }
 * }
 */
export function moduleEvent(pattern: string): MethodDecorator<(...args: never) => unknown> {
  return (_handler, context) => record('moduleEvent', context, (name) => ({ kind: 'event', name, pattern }));
}

/**
 * Offers a method to other modules: `this.modules.call('glossary', 'lookup', { term })`. Nothing else of the class can be
 * called, and only by modules that were granted `modules:call:NAME`. The host checks what it is given and what it returns
 * against the schemas; both are JSON. `undefined` crosses as null, an HttpError with its message, any other error as
 * MODULE_ERROR.
 * @throws TypeError on a private, static or symbol-named method; when the module is loaded, on an option that is not
 *   allowed
 * @example
 * class Glossary extends BaseModule {
 *   @moduleMethod({ params: Type.Object({ term: Type.String({ maxLength: 80 }) }), result: Type.Array(Type.String()) })
 *   lookup({ term }: { term: string }, { caller, user }: MethodContext) {
 *     return [`${term}, as ${caller.module} asks for ${user?.id ?? 'nobody'}`];
 *   }
 * }
 */
export function moduleMethod<const Options extends MethodOptions = object>(
  options?: ExactMethod<Options>,
): <Handler>(handler: Handler & FittingMethod<Handler, ArgsOf<Options>>, context: ClassMethodDecoratorContext) => void {
  return (_handler, context) =>
    record('moduleMethod', context, (name) => ({ kind: 'method', name, options: options ?? {} }));
}

/**
 * Serves a page of the module's web UI.
 * @example
 * class Weather extends BaseModule {
 *   @modulePage('/dashboard', { title: 'Weather' })
 *   async dashboard() {}
 * }
 */
export function modulePage(
  path: `/${string}`,
  options: PageOptions = {},
): MethodDecorator<(...args: never) => unknown> {
  return (_handler, context) => record('modulePage', context, (name) => ({ kind: 'page', name, path, options }));
}
