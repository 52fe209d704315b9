/** The context of one invocation. Whatever costs something is made when it is first asked for. */
import type { BodyRef, Caller, EndpointRequest } from '../protocol/invocation.ts';
import type { EndpointContext } from './endpoint-types.ts';
import type { HostBinding } from './host-binding.ts';
import { openSignal } from './invocation-signal.ts';
import { dropBody, receiveBody } from './web-bridge.ts';

const { parse } = JSON;

/** The body is not what its content type says. */
export class MalformedBodyError extends Error {
  override readonly name = 'MalformedBodyError';
}

export class InvocationContext implements EndpointContext {
  readonly params: EndpointContext['params'];
  readonly query: EndpointContext['query'];
  readonly user: Caller | null;
  readonly requestId: string;
  readonly #request: EndpointRequest;
  readonly #body: BodyRef;
  readonly #host: HostBinding;
  #webRequest: Request | undefined;
  #parsed: unknown;
  #isParsed = false;
  #abort: AbortController | undefined;
  #cancelled = false;

  constructor(request: EndpointRequest, body: BodyRef, host: HostBinding) {
    // The host has checked both against the schemas that the handler's types follow.
    this.params = request.params as EndpointContext['params'];
    this.query = request.query as EndpointContext['query'];
    this.user = request.user;
    this.requestId = request.requestId;
    this.#request = request;
    this.#body = body;
    this.#host = host;
  }

  get request(): Request {
    this.#webRequest ??= this.#makeRequest();
    return this.#webRequest;
  }

  get body(): unknown {
    if (this.#isParsed) return this.#parsed;
    const body = this.#body;
    this.#parsed = body.kind === 'text' ? this.#parse(body.text) : undefined;
    this.#isParsed = true;
    return this.#parsed;
  }

  get signal(): AbortSignal {
    this.#abort ??= openSignal(this.#request.invocation, this.#cancelled);
    return this.#abort.signal;
  }

  json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
    return Response.json(value, { status, headers });
  }

  /** The host wants this invocation to end. */
  cancel(): void {
    this.#cancelled = true;
    this.#abort?.abort();
  }

  /** Lets go of a streamed body that the handler never read, so that the sender stops. */
  finish(): void {
    if (this.#body.kind !== 'stream') return;
    if (this.#webRequest === undefined) this.#host.readStream(this.#body.stream).cancel();
    else dropBody(this.#webRequest);
  }

  #makeRequest(): Request {
    const { method, url, headers } = this.#request;
    const body = method === 'GET' || method === 'HEAD' ? null : receiveBody(this.#body, this.#host);
    const init = { method, headers: headers as [string, string][], body, duplex: 'half' as const };
    const request = new Request(url, init);
    Object.defineProperty(request, 'signal', { get: () => this.signal, configurable: true });
    return request;
  }

  #parse(text: string): unknown {
    const type = this.#request.headers.find(([name]) => name === 'content-type')?.[1];
    if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) return text;
    try {
      return parse(text);
    } catch {
      throw new MalformedBodyError('The body is not valid JSON.');
    }
  }
}
