/** What every module extends. */

import { type CacheClient, createCacheClient } from '../capabilities/cache.ts';
import { createDbClient, type DbClient } from '../capabilities/db.ts';
import { createDebugClient, type DebugClient } from '../capabilities/debug.ts';
import { createEventsClient, type EventsClient } from '../capabilities/events.ts';
import { createFilesClient, type FilesClient } from '../capabilities/files.ts';
import { createHttpClient, type HttpClient } from '../capabilities/http.ts';
import { createModulesClient, type ModulesClient } from '../capabilities/modules.ts';
import type { NotificationInput } from '../capabilities/notifications.ts';
import type { SecurityDetails } from '../capabilities/security-log.ts';
import { createStorageClient, type StorageClient } from '../capabilities/storage.ts';
import { createTasksClient, type TasksClient } from '../capabilities/tasks.ts';
import { createUsersClient, type UsersClient } from '../capabilities/users.ts';
import type { Tier } from '../protocol/declaration.ts';
import type { Caller } from '../protocol/invocation.ts';
import { takePending } from './active-host.ts';
import { createConfig, type ModuleConfig } from './config.ts';
import type { EventHandler } from './event-context.ts';
import { createLogger, type Logger } from './logger.ts';
import { sendNotification } from './notifications.ts';
import { createRouter, type Router, type RouterRecord } from './router.ts';
import { type SanitizeOptions, sanitizeInput } from './sanitize-input.ts';
import { logSecurityEvent } from './security-log.ts';
import { checkPermissions, getUserTier } from './users.ts';

/** Checked by shape, since an author may carry another copy of the sdk. */
export const MODULE_BRAND = Symbol.for('plexichat.module');
export const ROUTES = Symbol.for('plexichat.routes');
/** What was subscribed to at run time, for the runner. */
export const SUBSCRIPTIONS = Symbol.for('plexichat.subscriptions');
/** Puts other settings in `this.config`, for the runner. */
export const CHANGE_SETTINGS = Symbol.for('plexichat.change-settings');

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
  /** Folders of the host, as far as the operator granted `files:read:/dir` and `files:write:/dir`. */
  readonly files: FilesClient;
  /** What the module keeps, by key: `await this.storage.set('theme', 'dark')`. */
  readonly storage: StorageClient;
  /** What is quick to get again and may be gone at any time: `await this.cache.getOrSet('rates', fetchRates)`. */
  readonly cache: CacheClient;
  /** SQL on the module's own tables: `await this.db.query('SELECT * FROM notes WHERE owner = ?', [user.id])`. */
  readonly db: DbClient;
  /** Runs the module's own tasks: `this.tasks.enqueue('sendWelcome', { userId })`. */
  readonly tasks: TasksClient;
  /** Tells others what happened: `this.events.emit('module.notes.created', { id })`; and listens at run time. */
  readonly events: EventsClient;
  /** Calls what other modules offer: `await this.modules.call('glossary', 'lookup', { term }, { signal })`. */
  readonly modules: ModulesClient;
  /** What the host knows of users, with the permission `users:read`: `await this.users.getTier('alice')`. */
  readonly users: UsersClient;
  /** Shows state and stops for the operator, in debug mode only. */
  readonly debug: DebugClient;
  declare readonly [ROUTES]: RouterRecord[];
  declare readonly [SUBSCRIPTIONS]: Map<number, EventHandler>;
  declare readonly [CHANGE_SETTINGS]: (next: unknown) => unknown;

  constructor() {
    const { manifest, host } = takePending(new.target.name);
    const routes: RouterRecord[] = [];
    Object.defineProperty(this, ROUTES, { value: routes });
    const subscriptions = new Map<number, EventHandler>();
    Object.defineProperty(this, SUBSCRIPTIONS, { value: subscriptions });
    const { config, changeSettings } = createConfig<Settings>(manifest);
    this.config = config;
    Object.defineProperty(this, CHANGE_SETTINGS, { value: changeSettings });
    this.logger = createLogger(manifest.settings.log_level, host);
    this.router = createRouter(routes, manifest.api.prefix);
    this.http = createHttpClient(host);
    this.files = createFilesClient(host);
    this.storage = createStorageClient(host);
    this.cache = createCacheClient(host);
    this.db = createDbClient(host);
    this.tasks = createTasksClient(host);
    this.events = createEventsClient(host, subscriptions);
    this.modules = createModulesClient(host);
    this.users = createUsersClient(host);
    this.debug = createDebugClient(manifest.settings.debug, host);
  }

  /** Adds endpoints to `this.router`. Runs once, after the constructor. No I/O here: it also runs where nothing is served. */
  setupRoutes(): void {}

  /** Throws when the settings cannot work. Runs before `initialize`. */
  validateConfig(): void | Promise<void> {}

  /** Prepares what handlers need. Requests wait until it is done; when it throws, the module does not start. */
  initialize(): void | Promise<void> {}

  /**
   * An operator changed settings while the module runs; `this.config.settings` are the new ones by now. Without this
   * method the module is started anew instead, and so it is when it throws or takes longer than 5 seconds. A change of
   * `debug` or `log_level` always starts it anew. What `setupRoutes` declared stays as it is.
   * @example
   * override onSettingsChanged(next: Settings, previous: Settings) {
   *   if (next.city !== previous.city) this.forecast = undefined;
   * }
   */
  onSettingsChanged?(next: Readonly<Settings>, previous: Readonly<Settings>): void | Promise<void>;

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

  /** See sendNotification. */
  sendNotification(input: NotificationInput): Promise<{ id: string }> {
    return sendNotification(input);
  }

  /** See logSecurityEvent. */
  logSecurityEvent(name: string, details?: SecurityDetails): Promise<void> {
    return logSecurityEvent(name, details);
  }

  /** See sanitizeInput. */
  sanitizeInput(text: unknown, options?: SanitizeOptions): string {
    return sanitizeInput(text, options);
  }
}
