/** The guest's `fetch`: one call to the host, which checks the address and makes the request. */
import { toAuthorError } from '../module/errors.ts';
import type { HostBinding } from '../module/host-binding.ts';
import { receiveBody, sendBody } from '../module/web-bridge.ts';
import type { HttpRequest, HttpResponse } from '../protocol/capabilities/http.ts';
import type { HeaderPair } from '../protocol/invocation.ts';

export interface FetchInit extends RequestInit {
  /** Milliseconds until the request is given up; the host has a limit of its own. */
  readonly timeoutMs?: number;
}

export interface HttpClient {
  /**
   * As the fetch of the web, with the host in between: redirects are followed (each checked anew), there are no cookies,
   * `{{secret.NAME}}` in the URL or in a header is filled in by the host.
   * @throws PermissionDeniedError, EgressDeniedError; an Error with code EGRESS_FAILED when nobody answers; the signal's
   *   reason when it aborts
   * @example
   * const reply = await this.http.fetch('https://api.example.com/weather?q=Bonn', { signal });
   * if (reply.ok) return reply.json();
   */
  fetch(input: string | URL | Request, init?: FetchInit): Promise<Response>;
}

const NULL_BODY = new Set([204, 205, 304]);

export function createHttpClient(host: HostBinding): HttpClient {
  let lastId = 0;
  return Object.freeze({
    async fetch(input: string | URL | Request, init: FetchInit = {}): Promise<Response> {
      const { timeoutMs, ...rest } = init;
      // An init that is not given must not replace what the Request says: a signal above all.
      const request =
        typeof input === 'object' && 'method' in input && Object.keys(rest).length === 0
          ? input
          : new Request(input, rest);
      const signal = init.signal ?? (request === input ? request.signal : undefined);
      signal?.throwIfAborted();
      if (request.redirect !== 'follow') {
        throw new TypeError(`http.fetch: redirect "${request.redirect}" is not supported; the host follows redirects.`);
      }
      const id = ++lastId;
      const wire: HttpRequest = {
        id,
        method: request.method,
        url: request.url,
        headers: [...request.headers] as HeaderPair[],
        body: sendBody(request, host),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      };
      const reply = await callAbortable(host, wire, signal);
      return toResponse(reply, host);
    },
  });
}

async function callAbortable(
  host: HostBinding,
  wire: HttpRequest,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const call = host.call('http', 'fetch', [wire]) as Promise<HttpResponse>;
  if (signal === undefined) return call.catch(rethrow);
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      host.call('http', 'cancel', [wire.id]).catch(() => {});
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([call, aborted]);
  } catch (error) {
    return rethrow(error);
  } finally {
    signal.removeEventListener('abort', onAbort);
    // The loser of the race must not count as unhandled.
    call.catch(() => {});
    aborted.catch(() => {});
  }
}

function rethrow(error: unknown): never {
  throw toAuthorError(error);
}

function toResponse(reply: HttpResponse, host: HostBinding): Response {
  const { status, url } = reply;
  // A server may put anything into its reason phrase; a Response takes only what the standard allows.
  const statusText = reply.statusText.replace(/[^\t\x20-\x7e]/g, '');
  if (NULL_BODY.has(status) && reply.body.kind === 'stream') host.readStream(reply.body.stream).cancel();
  const body = NULL_BODY.has(status) ? null : receiveBody(reply.body, host);
  const response = new Response(body, { status, statusText, headers: reply.headers });
  // The url of a Response is the network's to set, so no constructor takes it.
  Object.defineProperty(response, 'url', { value: url, configurable: true });
  return response;
}
