/** Request, https://fetch.spec.whatwg.org/#request-class: what server-side code needs of it. */
import type { AbortSignal } from './abort.ts';
import { Body, type BodyContent, extractBody } from './body.ts';
import { Headers, type HeadersInit } from './headers.ts';
import * as lazy from './lazy.ts';

/** Written in upper case whatever the author wrote; the standard leaves `patch` alone. */
const NORMALISED = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);
const FORBIDDEN = new Set(['CONNECT', 'TRACE', 'TRACK']);
/** How clone() hands its half of the body to the constructor. */
const CONTENT = Symbol('content');
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Absolute URLs that every parser leaves as they are: most of them, and no URL class is loaded to know it. */
const CANONICAL =
  /^https?:\/\/(?:(?:(?!xn--)[a-z0-9-]+\.)*(?!xn--)[a-z](?:[a-z0-9-]*[a-z0-9])?|(?:(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])\.){3}(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]))(?::(?!(?:80|443)\/)[1-9]\d{0,3})?\/(?![^?]*\/\.)(?!\.)(?![^?]*%2[eE])[\w\-.~!$&()*+,;=:@%/]*(?:\?[\w\-.~!$&()*+,;=:@%/?[\]{}|^`\\]*)?$/;

export interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: unknown;
  signal?: AbortSignal | null;
  redirect?: 'follow' | 'error' | 'manual';
  cache?: string;
  credentials?: string;
  integrity?: string;
  keepalive?: boolean;
  mode?: string;
  referrer?: string;
  referrerPolicy?: string;
  duplex?: string;
  [CONTENT]?: BodyContent;
}

export class Request extends Body {
  readonly #headers: Headers;
  readonly #method: string;
  readonly #url: string;
  readonly #init: RequestInit;
  #signal: AbortSignal | undefined;

  constructor(input: unknown, init: RequestInit = {}) {
    const base = input instanceof Request ? input : undefined;
    const method = init.method === undefined ? (base?.method ?? 'GET') : cleanMethod(init.method);
    const given = init.body === undefined || init.body === null ? undefined : extractBody(init.body);
    if (isBodyless(method) && (given !== undefined || base?.hasBody() === true)) {
      throw new TypeError(`Request: a ${method} request cannot have a body.`);
    }
    super(init[CONTENT] ?? given?.content ?? base?.moveBody() ?? { kind: 'none' });
    this.#method = method;
    this.#url = base?.url ?? parseUrl(input);
    const { [CONTENT]: _content, body: _body, ...rest } = init;
    this.#init = base === undefined ? rest : { ...base.#init, ...rest };
    this.#headers = new Headers(init.headers ?? base?.headers);
    if (given?.type !== undefined && !this.#headers.has('content-type')) this.#headers.set('content-type', given.type);
    const signal = init.signal === undefined ? base?.signal : init.signal;
    if (signal !== undefined && signal !== null) this.#signal = signal;
  }

  get headers(): Headers {
    return this.#headers;
  }

  get method(): string {
    return this.#method;
  }

  get url(): string {
    return this.#url;
  }

  get signal(): AbortSignal {
    this.#signal ??= new (lazy.abort().AbortController)().signal;
    return this.#signal;
  }

  get redirect(): string {
    return this.#init.redirect ?? 'follow';
  }

  get cache(): string {
    return this.#init.cache ?? 'default';
  }

  get credentials(): string {
    return this.#init.credentials ?? 'same-origin';
  }

  get integrity(): string {
    return this.#init.integrity ?? '';
  }

  get keepalive(): boolean {
    return this.#init.keepalive ?? false;
  }

  get mode(): string {
    return this.#init.mode ?? 'cors';
  }

  get referrer(): string {
    return this.#init.referrer ?? 'about:client';
  }

  get referrerPolicy(): string {
    return this.#init.referrerPolicy ?? '';
  }

  get destination(): string {
    return '';
  }

  get duplex(): string {
    return 'half';
  }

  clone(): Request {
    const { method, headers, signal } = this;
    return new Request(this.#url, { ...this.#init, method, headers, signal, body: null, [CONTENT]: this.copyBody() });
  }

  get [Symbol.toStringTag](): string {
    return 'Request';
  }
}

function parseUrl(input: unknown): string {
  const text = `${input}`;
  if (CANONICAL.test(text)) return text;
  const parsed = new (lazy.url().URL)(text);
  if (parsed.username !== '' || parsed.password !== '') {
    throw new TypeError('Request: a URL with a user name or password cannot be fetched; use an Authorization header.');
  }
  return parsed.href;
}

function cleanMethod(method: unknown): string {
  const text = `${method}`;
  if (!TOKEN.test(text)) throw new TypeError(`Request: ${JSON.stringify(text)} is not a valid method.`);
  const upper = text.toUpperCase();
  if (FORBIDDEN.has(upper)) throw new TypeError(`Request: the method ${upper} is not allowed.`);
  return NORMALISED.has(upper) ? upper : text;
}

function isBodyless(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}
