/** What a handler returned or threw, as the outcome that crosses the bridge. Nothing in here throws. */
import type { HeaderPair, Outcome } from '../protocol/invocation.ts';
import { MalformedBodyError } from './endpoint-context.ts';
import { isHttpError } from './errors.ts';
import { explainJson } from './explain-json.ts';
import type { HostBinding } from './host-binding.ts';
import { sendBody, sendText } from './web-bridge.ts';

const { stringify } = JSON;
const MAX_MESSAGE = 2000;
const MAX_STACK = 20_000;
const NO_CONTENT: Outcome = { ok: true, status: 204, headers: [], body: { kind: 'none' } };
const NULL_BODY = new Set([204, 205, 304]);

/**
 * @param handler names the class and the method, for the messages.
 * @param onCancel called when the client leaves while an answer in pieces is under way.
 */
export function toOutcome(value: unknown, handler: string, host: HostBinding, onCancel?: () => void): Outcome {
  if (value === undefined) return NO_CONTENT;
  try {
    if (isResponse(value)) return fromResponse(value, handler, host, onCancel);
    const text = stringify(value);
    if (text === undefined) return invalid(`${handler} returned a ${typeof value}, which is not JSON.`);
    return { ok: true, status: 200, headers: [['content-type', 'application/json']], body: sendText(text, host) };
  } catch (error) {
    return invalid(`${handler} returned ${explainJson(value) ?? `what cannot be sent: ${messageOf(error)}`}.`);
  }
}

export function toFailure(error: unknown, handler: string, host: HostBinding): Outcome {
  try {
    if (isHttpError(error)) {
      const headers = Object.entries(error.headers).map(
        ([name, value]): HeaderPair => [name.toLowerCase(), String(value)],
      );
      return {
        ok: false,
        code: 'MODULE_HTTP_ERROR',
        status: error.status,
        message: cut(error.message),
        ...(headers.length === 0 ? {} : { headers }),
      };
    }
    if (error instanceof MalformedBodyError) return { ok: false, code: 'MALFORMED_BODY', message: error.message };
    return { ok: false, code: 'MODULE_ERROR', ...describeFailure(error, handler, host) };
  } catch {
    return { ok: false, code: 'MODULE_ERROR', message: unreadable(handler) };
  }
}

/** Who failed and how, as an outcome says it; with a stack only where the host diagnoses. */
export function describeFailure(error: unknown, handler: string, host: HostBinding): FailureWords {
  try {
    const stack = host.settingsDebug === true && error instanceof Error ? error.stack : undefined;
    const message = cut(`${handler} failed: ${messageOf(error)}`);
    return typeof stack === 'string' ? { message, stack: stack.slice(0, MAX_STACK) } : { message };
  } catch {
    return { message: unreadable(handler) };
  }
}

interface FailureWords {
  readonly message: string;
  readonly stack?: string;
}

/** `name: message` of whatever was thrown. */
export function messageOf(error: unknown): string {
  try {
    if (typeof error === 'object' && error !== null && 'message' in error) {
      const name = 'name' in error ? String(error.name) : 'Error';
      return `${name}: ${String(error.message)}`;
    }
    return typeof error === 'object' ? 'an object that is no Error was thrown' : String(error);
  } catch {
    return 'an error that cannot be read';
  }
}

function fromResponse(response: Response, handler: string, host: HostBinding, onCancel?: () => void): Outcome {
  const { status } = response;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    return invalid(`${handler} returned a Response with status ${String(status)}; allowed is 200 to 599.`);
  }
  const headers: HeaderPair[] = [];
  for (const [name, value] of response.headers) headers.push([name, value]);
  return {
    ok: true,
    status,
    headers,
    body: NULL_BODY.has(status) ? { kind: 'none' } : sendBody(response, host, onCancel),
  };
}

/** By shape: the Response may be the realm's, Node's, or that of a library. Plain data fails at the first question. */
function isResponse(value: unknown): value is Response {
  if (typeof value !== 'object' || value === null) return false;
  const { status, headers, arrayBuffer } = value as Partial<Response>;
  return typeof status === 'number' && typeof arrayBuffer === 'function' && typeof headers?.get === 'function';
}

function unreadable(handler: string): string {
  return cut(`${handler} failed with an error that cannot be read.`);
}

function invalid(message: string): Outcome {
  return { ok: false, code: 'INVALID_MODULE_RESPONSE', message: cut(message) };
}

function cut(text: string): string {
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`;
}
