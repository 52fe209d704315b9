/** The errors that an author throws or catches. */

const HTTP_ERROR = Symbol.for('plexichat.http-error');
const UNRECOVERABLE = Symbol.for('plexichat.unrecoverable-error');

export interface HttpErrorOptions {
  /** Headers of the answer, such as Retry-After. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * Answers the request with a status of the author's choice; the message is shown to the client as `detail`.
 * @throws RangeError when the status is not 400 to 599
 * @example
 * throw new HttpError(404, 'City not found');
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code = 'MODULE_HTTP_ERROR';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, options: HttpErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`HttpError: the status must be a whole number from 400 to 599, found ${String(status)}.`);
    }
    this.status = status;
    this.headers = options.headers ?? {};
    Object.defineProperty(this, HTTP_ERROR, { value: true });
  }
}

/** By shape: an author may carry another copy of the sdk. */
export function isHttpError(error: unknown): error is HttpError {
  return typeof error === 'object' && error !== null && HTTP_ERROR in error;
}

/**
 * Ends a run of a task for good: trying again is of no use, so `retryCount` does not count any more.
 * @example
 * if (reply.status === 410) throw new UnrecoverableError('The mailing list is gone.');
 */
export class UnrecoverableError extends Error {
  override readonly name = 'UnrecoverableError';
  readonly code = 'TASK_UNRECOVERABLE';

  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    Object.defineProperty(this, UNRECOVERABLE, { value: true });
  }
}

/** By shape, as HttpError is; whatever was thrown, this does not throw. */
export function isUnrecoverableError(error: unknown): boolean {
  try {
    return typeof error === 'object' && error !== null && UNRECOVERABLE in error;
  } catch {
    return false;
  }
}

/**
 * The operator has not granted what a call needs; the message names the permission.
 * @example
 * try {
 *   await this.http.fetch('https://api.example.com/');
 * } catch (error) {
 *   if (error instanceof PermissionDeniedError) this.logger.warn(error.message);
 * }
 */
export class PermissionDeniedError extends Error {
  override readonly name = 'PermissionDeniedError';
  readonly code = 'PERMISSION_DENIED';
  /** What was lacking, such as `users:read`; undefined when the message does not name one. */
  readonly permission: string | undefined;

  constructor(message: string) {
    super(message);
    // The host's words end with it (runtime/capabilities/permission-gate.ts).
    this.permission = / needs the permission (\S.*)\.$/.exec(message)?.[1];
  }
}

/**
 * The address may not be reached: its host is not granted, or it leads into a private network.
 * @example
 * if (error instanceof EgressDeniedError) throw new HttpError(502, 'The weather service is not allowed.');
 */
export class EgressDeniedError extends Error {
  override readonly name = 'EgressDeniedError';
  readonly code = 'EGRESS_DENIED';
}

/** What the host refused, as the class that an author catches. */
export function toAuthorError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === 'PERMISSION_DENIED') return new PermissionDeniedError(String(message));
  if (code === 'EGRESS_DENIED') return new EgressDeniedError(String(message));
  return error;
}
