/**
 * The error table: every code that a client, an author or an operator can meet, in one place.
 * `blame` says who has to act; `retryable` says whether the same request may succeed later.
 */
export type Blame = 'caller' | 'module' | 'platform';

export interface ErrorKind {
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
  readonly blame: Blame;
}

const caller = (status: number, title: string, retryable = false): ErrorKind => ({
  status,
  title,
  retryable,
  blame: 'caller',
});
const module = (status: number, title: string, retryable = false): ErrorKind => ({
  status,
  title,
  retryable,
  blame: 'module',
});
const platform = (status: number, title: string, retryable = false): ErrorKind => ({
  status,
  title,
  retryable,
  blame: 'platform',
});

export const ERRORS = {
  UNAUTHENTICATED: caller(401, 'Authentication is required'),
  FORBIDDEN: caller(403, 'Not allowed'),
  NOT_FOUND: caller(404, 'Not found'),
  METHOD_NOT_ALLOWED: caller(405, 'Method not allowed'),
  PAYLOAD_TOO_LARGE: caller(413, 'The body is too large'),
  MALFORMED_REQUEST: caller(400, 'The request is not valid HTTP'),
  MALFORMED_BODY: caller(400, 'The body cannot be read'),
  INVALID_INPUT: caller(422, 'The input is not valid'),
  RATE_LIMITED: caller(429, 'Too many requests', true),
  CLIENT_CLOSED: caller(499, 'The client went away', true),
  MODULE_HTTP_ERROR: module(500, 'The module refused the request'),
  MODULE_ERROR: module(500, 'The module failed'),
  INVALID_MODULE_RESPONSE: module(502, 'The module gave an answer that is not valid'),
  MODULE_UNAVAILABLE: module(503, 'The module is not available', true),
  MODULE_CRASHED: module(503, 'The module crashed', true),
  MODULE_OVERLOADED: module(503, 'The module has too much to do', true),
  MODULE_TIMEOUT: module(504, 'The module did not answer in time', true),
  PERMISSION_DENIED: module(403, 'The module lacks a permission'),
  EGRESS_DENIED: module(403, 'The module may not reach this address'),
  EGRESS_FAILED: module(502, 'The address did not answer', true),
  INVALID_CALL: module(400, 'The call does not match the contract'),
  QUOTA_EXCEEDED: module(429, 'The module used up its quota', true),
  TASK_TIMEOUT: module(504, 'The task did not end in time', true),
  TASK_UNRECOVERABLE: module(500, 'The task failed for good'),
  QUEUE_UNAVAILABLE: platform(503, 'The task queue cannot be reached', true),
  STATE_UNAVAILABLE: platform(503, 'What the host keeps cannot be reached', true),
  DATABASE_ERROR: module(500, 'The database refused the statement'),
  DATABASE_CONSTRAINT: module(409, 'A value breaks a rule of its table'),
  DATABASE_TIMEOUT: module(504, 'The database did not answer in time', true),
  DATABASE_UNAVAILABLE: platform(503, 'The database cannot be reached', true),
  FILES_UNAVAILABLE: platform(503, 'The disk cannot be used', true),
  HOST_SHEDDING: platform(503, 'The host sheds load', true),
  INTERNAL: platform(500, 'The platform failed'),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/** One thing that is wrong with an input: `path` is a JSON Pointer that starts with params, query, headers or body. */
export interface InputIssue {
  readonly path: string;
  readonly message: string;
}

export interface PlexiErrorOptions {
  /** Overrides the status of the table; only MODULE_HTTP_ERROR uses it. */
  readonly status?: number;
  readonly errors?: readonly InputIssue[];
  /** Headers that belong to the refusal: Retry-After, Allow, WWW-Authenticate. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * An error of the platform's own vocabulary.
 * @example throw new PlexiError('NOT_FOUND', 'No module answers /api/v1/nope.');
 */
export class PlexiError extends Error {
  override readonly name = 'PlexiError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly errors: readonly InputIssue[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, options: PlexiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? ERRORS[code].status;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }
}
