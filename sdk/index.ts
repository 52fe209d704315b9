/** What a module imports: `import { BaseModule, moduleEndpoint, Type } from '@plexichat/sdk'`. */
export type { Static, TSchema } from 'typebox';
export { Type } from 'typebox';
export type { CacheClient, CacheOptions } from './capabilities/cache.ts';
export type { DbClient, ExecuteResult, Queryable, Row, SqlParameter } from './capabilities/db.ts';
export type { DebugClient } from './capabilities/debug.ts';
export type { EventsClient, Subscription } from './capabilities/events.ts';
export type {
  FileContent,
  FileEntry,
  FilePage,
  FilesClient,
  ListOptions as FileListOptions,
  WriteOptions as FileWriteOptions,
} from './capabilities/files.ts';
export type { FetchInit, HttpClient } from './capabilities/http.ts';
export type { CallableModule, CallOptions, ModulesClient } from './capabilities/modules.ts';
export type { NotificationInput } from './capabilities/notifications.ts';
export type { SecurityDetails } from './capabilities/security-log.ts';
export type {
  StorageClient,
  StorageListing,
  StorageListOptions,
  StorageOptions,
} from './capabilities/storage.ts';
export type { EnqueueOptions, TasksClient } from './capabilities/tasks.ts';
export type { UsersClient } from './capabilities/users.ts';
export { BaseModule } from './module/base-module.ts';
export { type CacheResultOptions, cacheResult } from './module/cache-result.ts';
export type { CommonSettings, ModuleConfig } from './module/config.ts';
export { moduleEndpoint, moduleEvent, moduleMethod, modulePage, moduleTask } from './module/decorators.ts';
export type { ContextShape, EndpointContext, EndpointOptions, PathParams, Route } from './module/endpoint-types.ts';
export {
  EgressDeniedError,
  HttpError,
  type HttpErrorOptions,
  PermissionDeniedError,
  UnrecoverableError,
} from './module/errors.ts';
export type { EventHandler, ModuleEvent } from './module/event-context.ts';
export type { LogFields, Logger } from './module/logger.ts';
export type { MethodContext } from './module/method-context.ts';
export type { MethodsOf, ModuleMethods } from './module/method-types.ts';
export { sendNotification } from './module/notifications.ts';
export type { MethodOptions, PageOptions, TaskOptions } from './module/records.ts';
export { type RetryOptions, type RetryWait, retry } from './module/retry.ts';
export type { FetchApp, Router } from './module/router.ts';
export { type SanitizeOptions, sanitizeInput } from './module/sanitize-input.ts';
export { logSecurityEvent } from './module/security-log.ts';
export type { TaskContext, TaskJob } from './module/task-context.ts';
export { checkPermissions, getUserTier } from './module/users.ts';
export type { Method, Tier } from './protocol/declaration.ts';
export type { Caller } from './protocol/invocation.ts';
export type { NotificationType } from './protocol/notification-limits.ts';
