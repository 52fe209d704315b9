/** The one function that makes problem details (RFC 9457): every error that a client sees goes through it. */
import { STATUS_CODES } from 'node:http';
import { ERRORS, type ErrorCode, type InputIssue, isErrorCode, PlexiError } from '@plexichat/sdk/protocol/errors';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ErrorCode;
  readonly requestId: string;
  readonly errors?: readonly InputIssue[];
}

export interface ProblemPlace {
  readonly requestId: string;
  /** The path that was asked for. */
  readonly instance: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Boundary: what went wrong inside is for the log; the client gets these words and the request id to quote. */
const FIXED_DETAILS: Readonly<Partial<Record<ErrorCode, string>>> = {
  MODULE_ERROR: 'The module failed; its operator finds the reason in the log under this request id.',
  INVALID_MODULE_RESPONSE: 'The module gave an answer that breaks the rules; its operator finds the reason in the log.',
  INTERNAL: 'Something went wrong in the platform; the operator finds the reason in the log under this request id.',
};

export function toProblem(error: unknown, { requestId, instance }: ProblemPlace): Problem {
  const known = error instanceof PlexiError && isErrorCode(error.code);
  const code = known ? error.code : 'INTERNAL';
  const status = known ? clientStatus(error.status) : ERRORS.INTERNAL.status;
  return {
    type: `urn:plexichat:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: ERRORS[code].title,
    status,
    detail: FIXED_DETAILS[code] ?? (known ? error.message : ''),
    instance,
    code,
    requestId,
    ...(known && error.errors.length > 0 ? { errors: error.errors } : {}),
  };
}

export function problemResponse(error: unknown, place: ProblemPlace): Response {
  const { status, headers, body } = problemParts(error, place);
  return new Response(body, { status, headers });
}

export interface ProblemParts {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function problemParts(error: unknown, place: ProblemPlace): ProblemParts {
  const problem = toProblem(error, place);
  const headers: Record<string, string> = {
    ...place.headers,
    'content-type': 'application/problem+json',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'x-request-id': place.requestId,
  };
  if (error instanceof PlexiError) Object.assign(headers, error.headers);
  if (ERRORS[problem.code].retryable && problem.status >= 429) headers['retry-after'] ??= '1';
  return { status: problem.status, headers, body: JSON.stringify(problem) };
}

/** Where Node made no answer to write into, it is written by hand; the connection ends with it. */
export function rawProblem(error: PlexiError, place: ProblemPlace): string {
  const { status, headers, body } = problemParts(error, place);
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' });
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`,
    ...lines.map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n');
}

/** 499 is nobody's to read, but a Response cannot carry what is out of range. */
function clientStatus(status: number): number {
  return Number.isInteger(status) && status >= 400 && status <= 599 ? status : ERRORS.INTERNAL.status;
}
