/**
 * Egress: the only way of a module to the network. Each hop is checked against what was GRANTED, connected to the
 * address that was checked, and bounded in time and size; secrets are filled in here, so that they never enter a cell.
 */
import { Readable } from 'node:stream';
import type { ByteSource } from '@plexichat/sdk/protocol/body-streams';
import { type HttpRequest, HttpRequestSchema, type HttpResponse } from '@plexichat/sdk/protocol/capabilities/http';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { BodyRef, HeaderPair } from '@plexichat/sdk/protocol/invocation';
import { Compile } from 'typebox/compile';
import { Agent, type Dispatcher } from 'undici';
import type { Session } from '../bridge/session.ts';
import { checkedLookup, type Resolver, resolveHost } from './address.ts';
import type { Capability } from './capability.ts';
import { type EgressTarget, readTarget } from './egress-target.ts';
import type { Permission } from './permission.ts';

export interface HttpSettings {
  /** `host:port` whose address may be private. */
  readonly allowPrivate: ReadonlySet<string>;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly resolver?: Resolver;
}

export interface HttpGrants {
  granted(module: string): readonly Permission[];
  /** The value of a setting that the module marked writeOnly. */
  secret(module: string, name: string): string | undefined;
}

export interface HttpEgress {
  readonly capability: Capability;
  close(): Promise<void>;
}

const checkRequest = Compile(HttpRequestSchema);
const MAX_REDIRECTS = 5;
const MAX_CONCURRENT = 32;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Headers that speak of the connection, of other users or of us; a module's request never carries them. */
const REFUSED_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function createHttpEgress(settings: HttpSettings, grants: HttpGrants): HttpEgress {
  const privateHosts = new Set([...settings.allowPrivate].map((entry) => entry.slice(0, entry.lastIndexOf(':'))));
  const resolver = settings.resolver ?? resolveHost;
  const agentFor = (lookup: ReturnType<typeof checkedLookup>): Agent =>
    new Agent({
      connect: { lookup, timeout: settings.timeoutMs },
      headersTimeout: settings.timeoutMs,
      bodyTimeout: settings.timeoutMs,
      connections: MAX_CONCURRENT,
    });
  // Two pools, so that a connection to a private address is never reused for a request that may not have one.
  const publicAgent = agentFor(checkedLookup(() => false, resolver));
  const privateAgent = agentFor(checkedLookup((host) => privateHosts.has(host), resolver));

  const capability: Capability = ({ module, session, signal }) => {
    const running = new Map<number, AbortController>();
    return {
      async fetch(request) {
        if (!checkRequest.Check(request))
          throw new PlexiError('INVALID_CALL', 'http.fetch got a request of another shape.');
        if (running.size >= MAX_CONCURRENT) {
          throw new PlexiError('QUOTA_EXCEEDED', `At most ${MAX_CONCURRENT} requests of a module may be under way.`);
        }
        const abort = new AbortController();
        running.set(request.id, abort);
        const timeout = Math.min(request.timeoutMs ?? settings.timeoutMs, settings.timeoutMs);
        const limit = AbortSignal.any([abort.signal, signal, AbortSignal.timeout(timeout)]);
        const check = (url: string): EgressTarget => readTarget(url, grants.granted(module), settings.allowPrivate);
        const secret = (name: string): string | undefined => grants.secret(module, name);
        try {
          const agent = (target: EgressTarget): Agent => (target.mayBePrivate ? privateAgent : publicAgent);
          return await follow({ request, session: session(), check, secret, agent, signal: limit, settings });
        } finally {
          running.delete(request.id);
        }
      },
      cancel(id) {
        if (typeof id === 'number') running.get(id)?.abort();
      },
    };
  };
  return {
    capability,
    close: async () => {
      await Promise.all([publicAgent.destroy(), privateAgent.destroy()]);
    },
  };
}

interface Hop {
  readonly request: HttpRequest;
  readonly session: Session;
  readonly check: (url: string) => EgressTarget;
  readonly secret: (name: string) => string | undefined;
  readonly agent: (target: EgressTarget) => Agent;
  readonly signal: AbortSignal;
  readonly settings: HttpSettings;
}

async function follow({ request, session, check, secret, agent, signal, settings }: Hop): Promise<HttpResponse> {
  let { method } = request;
  let url = fillSecrets(request.url, (name) => encodeURIComponent(known(name, secret)));
  let visible = request.url;
  let headers = toHeaders(request.headers, (text) => fillSecrets(text, (name) => known(name, secret)));
  let body = openBody(request.body, session);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    // Boundary: each hop is checked anew; a redirect is the other side's word.
    const target = check(url);
    const answer = await send(agent(target), target, { method, headers, body, signal });
    const location = answer.headers.location;
    if (!REDIRECTS.has(answer.statusCode) || typeof location !== 'string') {
      return toResponse(answer, visible, session, settings.maxResponseBytes);
    }
    await answer.body.dump();
    const next = new URL(location, target.url);
    // What was meant for one origin (tokens, cookies, filled-in secrets) does not travel to another one.
    if (next.origin !== target.url.origin) headers = onlyHarmless(headers);
    const becomesGet = answer.statusCode === 303 || (answer.statusCode < 303 && method === 'POST');
    if (becomesGet) {
      method = 'GET';
      body = undefined;
    } else if (body !== undefined && typeof body !== 'string') {
      throw new PlexiError('EGRESS_FAILED', 'A redirect asks for a streamed body again, which is gone.');
    }
    url = next.href;
    visible = next.href;
  }
  throw new PlexiError('EGRESS_FAILED', `More than ${MAX_REDIRECTS} redirects.`);
}

type Sending = {
  method: string;
  headers: Record<string, string>;
  body: string | Readable | undefined;
  signal: AbortSignal;
};

async function send(
  agent: Agent,
  target: EgressTarget,
  { method, headers, body, signal }: Sending,
): Promise<Dispatcher.ResponseData> {
  try {
    return await agent.request({
      origin: target.url.origin,
      path: target.url.pathname + target.url.search,
      method: method as Dispatcher.HttpMethod,
      headers,
      body: body ?? null,
      signal,
    });
  } catch (error) {
    if (error instanceof PlexiError) throw error;
    const reason = signal.aborted ? 'did not answer in time' : 'could not be reached';
    throw new PlexiError('EGRESS_FAILED', `${target.url.host} ${reason}.`, { cause: error });
  }
}

function toResponse(answer: Dispatcher.ResponseData, url: string, session: Session, maxBytes: number): HttpResponse {
  const headers: HeaderPair[] = [];
  for (const [name, value] of Object.entries(answer.headers)) {
    // An upstream's cookies are its own business with whoever logs in there, not the module's.
    if (name === 'set-cookie' || value === undefined) continue;
    headers.push([name, Array.isArray(value) ? value.join(', ') : value]);
  }
  const stream = session.writeStream(boundedSource(answer.body, maxBytes));
  return {
    status: answer.statusCode,
    statusText: answer.statusText ?? '',
    url,
    headers,
    body: { kind: 'stream', stream },
  };
}

function boundedSource(body: Readable, maxBytes: number): ByteSource {
  const chunks = body[Symbol.asyncIterator]();
  let total = 0;
  return {
    async read() {
      const { done, value } = await chunks.next();
      if (done) return undefined;
      total += value.byteLength;
      if (total > maxBytes) {
        body.destroy();
        throw new PlexiError('EGRESS_FAILED', `The answer is larger than ${maxBytes} bytes.`);
      }
      return value;
    },
    cancel: () => {
      body.on('error', () => {});
      body.destroy();
    },
  };
}

function openBody(body: BodyRef, session: Session): string | Readable | undefined {
  if (body.kind === 'none') return undefined;
  if (body.kind === 'text') return body.text;
  const source = session.readStream(body.stream);
  return new Readable({
    read() {
      source.read().then(
        (chunk) => this.push(chunk ?? null),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      source.cancel();
      done(error);
    },
  });
}

function toHeaders(pairs: readonly HeaderPair[], fill: (text: string) => string): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'PlexiChat-Modules', 'accept-encoding': 'identity' };
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    if (REFUSED_HEADERS.has(key)) throw new PlexiError('INVALID_CALL', `The header ${key} cannot be set by a module.`);
    const filled = fill(value);
    if (!/^[\x20-\x7e\t\x80-\xff]*$/.test(filled))
      throw new PlexiError('INVALID_CALL', `The header ${key} has a value that HTTP does not allow.`);
    headers[key] =
      headers[key] === undefined || key === 'user-agent' || key === 'accept-encoding'
        ? filled
        : `${headers[key]}, ${filled}`;
  }
  return headers;
}

const HARMLESS_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'content-type',
  'user-agent',
]);

function onlyHarmless(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS_HEADERS.has(name)));
}

/** `{{secret.name}}`, as a URL carries it too. */
const PLACEHOLDER = /(?:\{\{|%7B%7B)secret\.([A-Za-z0-9_]{1,64})(?:\}\}|%7D%7D)/gi;

function fillSecrets(text: string, value: (name: string) => string): string {
  return text.replace(PLACEHOLDER, (_found, name: string) => value(name));
}

function known(name: string, secret: (name: string) => string | undefined): string {
  const value = secret(name);
  if (value === undefined) throw new PlexiError('INVALID_CALL', `There is no secret setting "${name}".`);
  return value;
}
