/** The sdk as the kernel hands it to a module's bundle, where `@plexichat/sdk` is this object. */
import { BaseModule } from './module/base-module.ts';
import { cacheResult } from './module/cache-result.ts';
import { moduleEndpoint, moduleEvent, moduleMethod, modulePage, moduleTask } from './module/decorators.ts';
import { EgressDeniedError, HttpError, PermissionDeniedError, UnrecoverableError } from './module/errors.ts';
import { sendNotification } from './module/notifications.ts';
import { retry } from './module/retry.ts';
import { sanitizeInput } from './module/sanitize-input.ts';
import { logSecurityEvent } from './module/security-log.ts';
import { checkPermissions, getUserTier } from './module/users.ts';

declare function require(path: string): unknown;

/** The same names as index.ts; a test keeps the two alike. */
export function createSdk(): object {
  const sdk = {
    BaseModule,
    EgressDeniedError,
    HttpError,
    PermissionDeniedError,
    UnrecoverableError,
    cacheResult,
    checkPermissions,
    getUserTier,
    logSecurityEvent,
    moduleEndpoint,
    moduleEvent,
    moduleMethod,
    modulePage,
    moduleTask,
    retry,
    sanitizeInput,
    sendNotification,
  };
  // esbuild wraps what `require` names: a module without schemas never runs a line of typebox.
  Object.defineProperty(sdk, 'Type', {
    enumerable: true,
    configurable: true,
    get() {
      const { Type } = require('typebox') as typeof import('typebox');
      Object.defineProperty(sdk, 'Type', { value: Type, enumerable: true });
      return Type;
    },
  });
  return sdk;
}
