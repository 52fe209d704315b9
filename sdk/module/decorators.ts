/** The decorators of handlers. They record what the author says; nothing runs, nothing is registered. */
import type { ContextOf, EndpointOptions, Exactly, FittingHandler, PathOf, Route } from './endpoint-types.ts';
import { type PageOptions, record, type TaskOptions } from './records.ts';
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
 * Runs a method for each event of that name; `message.*` stands for every last word.
 * @example
 * class Greeter extends BaseModule {
 *   @moduleEvent('user.login')
 *   async onUserLogin(data: unknown) {}
 * }
 */
export function moduleEvent(pattern: string): MethodDecorator<(...args: never) => unknown> {
  return (_handler, context) => record('moduleEvent', context, (name) => ({ kind: 'event', name, pattern }));
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
