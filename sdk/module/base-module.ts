/** What every module extends. */
import { createHttpClient, type HttpClient } from '../capabilities/http.ts';
import { createTasksClient, type TasksClient } from '../capabilities/tasks.ts';
import type { Tier } from '../protocol/declaration.ts';
import type { Caller } from '../protocol/invocation.ts';
import { takePending } from './active-host.ts';
import { createConfig, type ModuleConfig } from './config.ts';
import { createLogger, type Logger } from './logger.ts';
import { createRouter, type Router, type RouterRecord } from './router.ts';
import { type SanitizeOptions, sanitizeInput } from './sanitize-input.ts';
import { checkPermissions, getUserTier } from './users.ts';

/** Checked by shape, since an author may carry another copy of the sdk. */
export const MODULE_BRAND = Symbol.for('plexichat.module');
export const ROUTES = Symbol.for('plexichat.routes');

/**
 * The base of a module's class, the default export of module.ts. The platform constructs it; `config`, `logger`, `router`,
 * `http` and `tasks` work from the first line of the constructor on.
 * @example
 * export default class Hello extends BaseModule<{ greeting: string }> {
 *   @moduleEndpoint('GET /hello/:name')
 *   hello({ params }: EndpointContext<{ params: { name: string } }>) {
 *     return { text: `${this.config.settings.greeting}, ${params.name}!` };
 *   }
 * }
 */
export class BaseModule<Settings = Record<string, unknown>> {
  static readonly [MODULE_BRAND] = 1;
  /** config.yaml with its defaults, read only; every key also in camelCase. */
  readonly config: ModuleConfig<Settings>;
  readonly logger: Logger;
  readonly router: Router;
  /** Requests to the outside, as far as the operator granted `http:HOST`. */
  readonly http: HttpClient;
  /** Runs the module's own tasks: `this.tasks.enqueue('sendWelcome', { userId })`. */
  readonly tasks: TasksClient;
  declare readonly [ROUTES]: RouterRecord[];

  constructor() {
    const { manifest, host } = takePending(new.target.name);
    const routes: RouterRecord[] = [];
    Object.defineProperty(this, ROUTES, { value: routes });
    this.config = createConfig<Settings>(manifest);
    this.logger = createLogger(manifest.settings.log_level, host);
    this.router = createRouter(routes, manifest.api.prefix);
    this.http = createHttpClient(host);
    this.tasks = createTasksClient(host);
  }

  /** Adds endpoints to `this.router`. Runs once, after the constructor. No I/O here: it also runs where nothing is served. */
  setupRoutes(): void {}

  /** Throws when the settings cannot work. Runs before `initialize`. */
  validateConfig(): void | Promise<void> {}

  /** Prepares what handlers need. Requests wait until it is done; when it throws, the module does not start. */
  initialize(): void | Promise<void> {}

  /** Cleans up. Runs after the last handler, with a deadline. */
  shutdown(): void | Promise<void> {}

  /** See getUserTier. */
  getUserTier(userId: string): Promise<Tier | null> {
    return getUserTier(userId);
  }

  /** See checkPermissions. */
  checkPermissions(user: Caller | string | null, permissions: readonly string[]): Promise<boolean> {
    return checkPermissions(user, permissions);
  }

  /** See sanitizeInput. */
  sanitizeInput(text: unknown, options?: SanitizeOptions): string {
    return sanitizeInput(text, options);
  }
}
