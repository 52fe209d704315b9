/** Response, https://fetch.spec.whatwg.org/#response-class */
import { Body, type BodyContent, extractBody } from './body.ts';
import { Headers, type HeadersInit, makeImmutable } from './headers.ts';
import * as lazy from './lazy.ts';

const NULL_BODY = new Set([101, 103, 204, 205, 304]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const RAW = Symbol('raw');

export interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

interface RawParts {
  readonly [RAW]: true;
  readonly content: BodyContent;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly type: string;
}

export class Response extends Body {
  readonly #headers: Headers;
  readonly #status: number;
  readonly #statusText: string;
  readonly #type: string;

  constructor(body?: unknown, init: ResponseInit = {}) {
    const raw = isRaw(body) ? body : fromInit(body, init);
    super(raw.content);
    this.#status = raw.status;
    this.#statusText = raw.statusText;
    this.#type = raw.type;
    this.#headers = raw.headers;
  }

  get headers(): Headers {
    return this.#headers;
  }

  static json(data: unknown, init: ResponseInit = {}): Response {
    const text = JSON.stringify(data);
    if (text === undefined)
      throw new TypeError('Response.json: the value is not JSON (undefined, a function or a symbol).');
    const headers = new Headers(init?.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new Response(text, { ...init, headers });
  }

  static redirect(url: unknown, status = 302): Response {
    if (!REDIRECTS.has(status))
      throw new RangeError(`Response.redirect: ${status} is no redirect; use ${[...REDIRECTS].join(', ')}.`);
    const headers = new Headers({ location: new (lazy.url().URL)(`${url}`).href });
    return new Response(rawParts({ kind: 'none' }, status, '', makeImmutable(headers), 'default'));
  }

  static error(): Response {
    return new Response(rawParts({ kind: 'none' }, 0, '', makeImmutable(new Headers()), 'error'));
  }

  get status(): number {
    return this.#status;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status < 300;
  }

  get type(): string {
    return this.#type;
  }

  get url(): string {
    return '';
  }

  get redirected(): boolean {
    return false;
  }

  clone(): Response {
    return new Response(
      rawParts(this.copyBody(), this.#status, this.#statusText, new Headers(this.headers), this.#type),
    );
  }

  get [Symbol.toStringTag](): string {
    return 'Response';
  }
}

function fromInit(body: unknown, init: ResponseInit): RawParts {
  const status = toStatus(init?.status);
  const statusText = init?.statusText === undefined ? '' : `${init.statusText}`;
  if (!/^[\t \x21-\x7e\x80-\xff]*$/.test(statusText)) {
    throw new TypeError(`Response: ${JSON.stringify(statusText)} is not a valid status text.`);
  }
  const { content, type } = extractBody(body);
  if (content.kind !== 'none' && NULL_BODY.has(status)) {
    throw new TypeError(`Response: an answer with status ${status} cannot have a body.`);
  }
  const headers = new Headers(init?.headers);
  if (type !== undefined && !headers.has('content-type')) headers.set('content-type', type);
  return rawParts(content, status, statusText, headers, 'default');
}

function toStatus(given: unknown): number {
  const status = given === undefined ? 200 : Math.trunc(Number(given)) & 0xffff;
  if (status >= 200 && status <= 599) return status;
  throw new RangeError(`Response: the status must be 200 to 599, found ${String(given)}.`);
}

function rawParts(content: BodyContent, status: number, statusText: string, headers: Headers, type: string): RawParts {
  return { [RAW]: true, content, status, statusText, headers, type };
}

function isRaw(body: unknown): body is RawParts {
  return typeof body === 'object' && body !== null && RAW in body;
}
