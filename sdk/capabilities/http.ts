/** The guest's `fetch`: one call to the host, which checks the address and makes the request. */
import { toAuthorError } from '../module/errors.ts';
import type { ByteSource, HostBinding } from '../module/host-binding.ts';
import { receiveBody, receiveSource, sendBody } from '../module/web-bridge.ts';
import type { HttpRequest, HttpResponse } from '../protocol/capabilities/http.ts';
import type { HeaderPair } from '../protocol/invocation.ts';

export interface FetchInit extends RequestInit {
  /** Milliseconds until the request is given up; the host has a limit of its own. */
  readonly timeoutMs?: number;
  /**
   * false: the request is sent once. Default: a GET, HEAD, PUT, DELETE or OPTIONS whose body is no stream is sent up to
   * three times, when the connection is lost or the answer is 502, 503 or 504; Retry-After counts, and so does the
   * deadline.
   */
  readonly retry?: boolean;
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
      const { timeoutMs, retry, ...rest } = init;
      // An init that is not given must not replace what the Request says: a signal above all.
      const request =
        typeof input === 'object' && 'method' in input && Object.keys(rest).length === 0
          ? input
          : // A streamed body needs it said, and there is only this one way.
            new Request(input, { duplex: 'half', ...rest } as RequestInit);
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
        ...(retry === false ? { retry } : {}),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      };
      const reply = await callAbortable(host, wire, signal);
      signal?.throwIfAborted();
      return toResponse(reply, host, signal);
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
    // The loser of the race must not count as unhandled, and an answer that nobody waits for must not stay open.
    call.then(
      (late) => signal.aborted && drop(late, host),
      () => {},
    );
    aborted.catch(() => {});
  }
}

function rethrow(error: unknown): never {
  throw toAuthorError(error);
}

function toResponse(reply: HttpResponse, host: HostBinding, signal: AbortSignal | undefined): Response {
  const { status, url, body } = reply;
  // A server may put anything into its reason phrase; a Response takes only what the standard allows.
  const statusText = reply.statusText.replace(/[^\t\x20-\x7e]/g, '');
  const response = new Response(readableBody(reply, host, signal), { status, statusText, headers: reply.headers });
  if (NULL_BODY.has(status) && body.kind === 'stream') drop(reply, host);
  // The url of a Response is the network's to set, so no constructor takes it.
  Object.defineProperty(response, 'url', { value: url, configurable: true });
  return response;
}

function readableBody({ status, body }: HttpResponse, host: HostBinding, signal: AbortSignal | undefined) {
  if (NULL_BODY.has(status)) return null;
  if (body.kind !== 'stream' || signal === undefined) return receiveBody(body, host);
  return receiveSource(abortable(host.readStream(body.stream), signal));
}

/** The signal of a fetch holds for its body too: reading rejects, instead of ending early as if all had come. */
function abortable(source: ByteSource, signal: AbortSignal): ByteSource {
  const stop = (): void => source.cancel();
  signal.addEventListener('abort', stop, { once: true });
  return {
    async read() {
      const chunk = await source.read();
      if (chunk === undefined) signal.removeEventListener('abort', stop);
      signal.throwIfAborted();
      return chunk;
    },
    cancel() {
      signal.removeEventListener('abort', stop);
      source.cancel();
    },
  };
}

function drop({ body }: HttpResponse, host: HostBinding): void {
  if (body.kind === 'stream') host.readStream(body.stream).cancel();
}
