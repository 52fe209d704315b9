/** What a module imports: `import { BaseModule, moduleEndpoint, Type } from '@plexichat/sdk'`. */
export type { Static, TSchema } from 'typebox';
export { Type } from 'typebox';
export type { FetchInit, HttpClient } from './capabilities/http.ts';
export type { EnqueueOptions, TasksClient } from './capabilities/tasks.ts';
export { BaseModule } from './module/base-module.ts';
export { type CacheResultOptions, cacheResult } from './module/cache-result.ts';
export type { CommonSettings, ModuleConfig } from './module/config.ts';
export { moduleEndpoint, moduleEvent, modulePage, moduleTask } from './module/decorators.ts';
export type { ContextShape, EndpointContext, EndpointOptions, PathParams, Route } from './module/endpoint-types.ts';
export {
  EgressDeniedError,
  HttpError,
  type HttpErrorOptions,
  PermissionDeniedError,
  UnrecoverableError,
} from './module/errors.ts';
export type { LogFields, Logger } from './module/logger.ts';
export type { PageOptions, TaskOptions } from './module/records.ts';
export { type RetryOptions, type RetryWait, retry } from './module/retry.ts';
export type { FetchApp, Router } from './module/router.ts';
export { type SanitizeOptions, sanitizeInput } from './module/sanitize-input.ts';
export type { TaskContext, TaskJob } from './module/task-context.ts';
export { checkPermissions, getUserTier } from './module/users.ts';
export type { Method, Tier } from './protocol/declaration.ts';
export type { Caller } from './protocol/invocation.ts';
