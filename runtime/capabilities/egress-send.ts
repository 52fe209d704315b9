/** Sends one request of a module, again when that is harmless and may help: with a growing, uneven wait, up to its deadline. */
import type { Readable } from 'node:stream';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Agent, Dispatcher } from 'undici';
import type { EgressTarget } from './egress-target.ts';

export interface Sending {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | Readable | undefined;
  readonly signal: AbortSignal;
}

/** What all hops of one request share. */
export interface RetryAllowance {
  /** Times that something may be sent once more. */
  left: number;
  /** By performance.now(). */
  readonly deadline: number;
}

export const MAX_RETRIES = 2;
const FIRST_WAIT_MS = 200;
/** Those that mean the same however often they are done (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);
/** The other side, or something in between, says that it is not able to just now. */
const PASSING: ReadonlySet<number> = new Set([502, 503, 504]);
/** There was no answer, and another connection may bring one. */
const LOST_CONNECTION: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** @throws PlexiError EGRESS_DENIED, EGRESS_FAILED */
export async function send(
  agent: Agent,
  target: EgressTarget,
  sending: Sending,
  allowance: RetryAllowance,
): Promise<Dispatcher.ResponseData> {
  for (let wait = FIRST_WAIT_MS; ; wait *= 2) {
    const outcome = await sendOnce(agent, target, sending);
    const pause = pauseBefore(outcome, sending, allowance, wait);
    if (pause === undefined) {
      if ('error' in outcome) throw outcome.error;
      return outcome.answer;
    }
    allowance.left -= 1;
    if ('answer' in outcome) drop(outcome.answer);
    await sleep(pause, sending.signal);
  }
}

type Outcome = { readonly answer: Dispatcher.ResponseData } | { readonly error: PlexiError };

async function sendOnce(
  agent: Agent,
  target: EgressTarget,
  { method, headers, body, signal }: Sending,
): Promise<Outcome> {
  try {
    const answer = await agent.request({
      origin: target.url.origin,
      path: target.url.pathname + target.url.search,
      method: method as Dispatcher.HttpMethod,
      headers,
      body: body ?? null,
      signal,
    });
    // Its request may fail while it is sent still, and take it along: an error that nobody hears would end the host.
    answer.body.on('error', () => {});
    return { answer };
  } catch (error) {
    if (error instanceof PlexiError) return { error };
    const reason = signal.aborted ? 'did not answer in time' : 'could not be reached';
    return { error: new PlexiError('EGRESS_FAILED', `${target.url.host} ${reason}.`, { cause: error }) };
  }
}

/** Milliseconds; undefined: the outcome stands. */
function pauseBefore(
  outcome: Outcome,
  { method, body, signal }: Sending,
  { left, deadline }: RetryAllowance,
  wait: number,
): number | undefined {
  if (left <= 0 || signal.aborted || !IDEMPOTENT.has(method)) return undefined;
  // What was streamed is gone.
  if (body !== undefined && typeof body !== 'string') return undefined;
  // Uneven, so that those who failed together do not come back together.
  let pause = wait * (0.5 + Math.random() / 2);
  if ('error' in outcome) {
    // Boundary: an address that was refused stays refused; nothing of that is tried again.
    if (outcome.error.code !== 'EGRESS_FAILED' || !isLostConnection(outcome.error.cause)) return undefined;
  } else {
    if (!PASSING.has(outcome.answer.statusCode)) return undefined;
    pause = Math.max(pause, retryAfterMs(outcome.answer.headers['retry-after']));
  }
  return performance.now() + pause < deadline ? pause : undefined;
}

function isLostConnection(cause: unknown): boolean {
  return LOST_CONNECTION.has((cause as { code?: unknown } | undefined)?.code);
}

/** Seconds, or a date (RFC 9110, 10.2.3). What is neither asks for nothing. */
function retryAfterMs(header: string | string[] | undefined): number {
  const text = typeof header === 'string' ? header.trim() : '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}

/** With its connection: reading it to its end may take for ever. */
function drop({ body }: Dispatcher.ResponseData): void {
  body.destroy();
}

/** Ends early when the signal fires; what is sent then fails at once. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', wake, { once: true });
  });
}
