/**
 * Egress: the only way of a module to the network. Each hop is checked against what was GRANTED, connected to the
 * address that was checked, and bounded in time and size; secrets are filled in here, so that they never enter a cell.
 */
import { Readable } from 'node:stream';
import { type HttpRequest, HttpRequestSchema, type HttpResponse } from '@plexichat/sdk/protocol/capabilities/http';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { HeaderPair } from '@plexichat/sdk/protocol/invocation';
import { Compile } from 'typebox/compile';
import type { Agent, Dispatcher } from 'undici';
import type { Session } from '../bridge/session.ts';
import type { Resolver } from './address.ts';
import type { Capability } from './capability.ts';
import { EgressAgents } from './egress-agents.ts';
import { openBody, sendBody } from './egress-body.ts';
import { forOtherOrigin, toHeaders, withoutBody } from './egress-headers.ts';
import { MAX_RETRIES, type RetryAllowance, send } from './egress-send.ts';
import { type EgressTarget, readTarget } from './egress-target.ts';
import type { Permission } from './permission.ts';
import { createRequestSecrets, type RequestSecrets, type SecretSetting } from './request-secrets.ts';

export interface HttpSettings {
  /** `host:port` whose address may be private. */
  readonly allowPrivate: ReadonlySet<string>;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly resolver?: Resolver;
  /** Addresses; absent: those of the operating system. */
  readonly nameServers?: readonly string[];
  /** Of this machine; asked for at every connection. */
  readonly ownAddresses?: () => ReadonlySet<string>;
}

export interface HttpGrants {
  granted(module: string): readonly Permission[];
  /** A setting that the module marked writeOnly. */
  secret(module: string, name: string): SecretSetting | undefined;
  /** A request goes out by this grant. */
  onUsed?(module: string, grant: Permission): void;
  /** A request was refused where it wanted to go. @param reason as the module gets to see it */
  onDenied?(module: string, reason: string): void;
  /** Bytes of a body went out, or came in. */
  onTransfer?(module: string, direction: 'sent' | 'received', bytes: number): void;
}

export interface HttpEgress {
  readonly capability: Capability;
  close(): Promise<void>;
}

const checkRequest = Compile(HttpRequestSchema);
const MAX_REDIRECTS = 5;
const MAX_CONCURRENT = 32;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Methods that speak to the network between here and there. */
const REFUSED_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

export function createHttpEgress(settings: HttpSettings, grants: HttpGrants): HttpEgress {
  const privateHosts = new Set([...settings.allowPrivate].map((entry) => entry.slice(0, entry.lastIndexOf(':'))));
  const agents = new EgressAgents({
    resolver: settings.resolver,
    nameServers: settings.nameServers,
    mayBePrivate: (host) => privateHosts.has(host),
    ownAddresses: settings.ownAddresses,
    timeoutMs: settings.timeoutMs,
  });

  const capability: Capability = ({ module, session, signal }) => {
    const agent = agents.open(module, signal);
    const running = new Map<number, AbortController>();
    return {
      async fetch(request) {
        if (!checkRequest.Check(request))
          throw new PlexiError('INVALID_CALL', 'http.fetch got a request of another shape.');
        try {
          admit(request, running);
        } catch (error) {
          session().discard(request.body);
          throw error;
        }
        const abort = new AbortController();
        running.set(request.id, abort);
        const timeout = Math.min(request.timeoutMs ?? settings.timeoutMs, settings.timeoutMs);
        const limit = AbortSignal.any([abort.signal, signal, AbortSignal.timeout(timeout)]);
        const check = (url: string): EgressTarget => {
          const target = readTarget(url, grants.granted(module), settings.allowPrivate);
          grants.onUsed?.(module, target.grant);
          return target;
        };
        const secret = (name: string): SecretSetting | undefined => grants.secret(module, name);
        const allowance = { left: request.retry === false ? 0 : MAX_RETRIES, deadline: performance.now() + timeout };
        try {
          return await follow({
            request,
            session: session(),
            check,
            secret,
            agent,
            allowance,
            signal: limit,
            settings,
            onTransfer: (direction, bytes) => grants.onTransfer?.(module, direction, bytes),
          });
        } catch (error) {
          if (error instanceof PlexiError && error.code === 'EGRESS_DENIED') grants.onDenied?.(module, error.message);
          throw error;
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
    close: () => agents.close(),
  };
}

/** @throws PlexiError before anything of the request was touched */
function admit({ id, method }: HttpRequest, running: ReadonlyMap<number, unknown>): void {
  if (REFUSED_METHODS.has(method.toUpperCase())) {
    throw new PlexiError('INVALID_CALL', `The method ${method} cannot be used by a module.`);
  }
  if (running.has(id)) throw new PlexiError('INVALID_CALL', `The request ${id} is under way already.`);
  if (running.size >= MAX_CONCURRENT) {
    throw new PlexiError('QUOTA_EXCEEDED', `At most ${MAX_CONCURRENT} requests of a module may be under way.`);
  }
}

interface Hop {
  readonly request: HttpRequest;
  readonly session: Session;
  readonly check: (url: string) => EgressTarget;
  readonly secret: (name: string) => SecretSetting | undefined;
  readonly agent: (target: EgressTarget) => Agent;
  readonly allowance: RetryAllowance;
  readonly signal: AbortSignal;
  readonly settings: HttpSettings;
  readonly onTransfer: (direction: 'sent' | 'received', bytes: number) => void;
}

async function follow(hop: Hop): Promise<HttpResponse> {
  const { request, session, check, secret, onTransfer } = hop;
  let body: string | Readable | undefined;
  let isOpen = false;
  try {
    // Boundary: judged as the module wrote it; what a secret says has no part in where a request goes.
    const target = check(request.url);
    const secrets = createRequestSecrets(secret, target);
    const filled = { ...target, url: secrets.fillUrl(target.url) };
    const headers = toHeaders(request.headers, secrets);
    body = openBody(request.body, session, (bytes) => onTransfer('sent', bytes));
    isOpen = true;
    return await sendAndRedirect(hop, secrets, filled, headers, body).catch((error: unknown) => {
      throw withoutSecrets(error, secrets);
    });
  } catch (error) {
    if (!isOpen) session.discard(request.body);
    if (body instanceof Readable) body.destroy();
    throw error;
  }
}

/** A redirect names a host, and with it whatever the other side likes; errors repeat it. */
function withoutSecrets(error: unknown, { hide }: RequestSecrets): unknown {
  if (!(error instanceof PlexiError)) return error;
  const message = hide(error.message);
  return message === error.message ? error : new PlexiError(error.code, message, { cause: error.cause });
}

async function sendAndRedirect(
  { request, session, check, agent, allowance, signal, settings, onTransfer }: Hop,
  secrets: RequestSecrets,
  first: EgressTarget,
  firstHeaders: Record<string, string>,
  firstBody: string | Readable | undefined,
): Promise<HttpResponse> {
  let { method } = request;
  let target = first;
  let headers = firstHeaders;
  let body = firstBody;
  let visible = request.url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const answer = await send(agent(target), target, { method, headers, body, signal }, allowance);
    const location = answer.headers.location;
    if (!REDIRECTS.has(answer.statusCode) || typeof location !== 'string') {
      const sendOn = () =>
        sendBody(answer.body, settings.maxResponseBytes, session, (bytes) => onTransfer('received', bytes));
      return toResponse(answer, visible, secrets, sendOn);
    }
    await answer.body.dump().catch(() => {});
    const next = URL.parse(location, target.url);
    if (next === null) throw new PlexiError('EGRESS_FAILED', `${target.url.host} redirects to what is no URL.`);
    // What was meant for one origin (tokens, cookies, filled-in secrets) does not travel to another one.
    if (next.origin !== target.url.origin) headers = forOtherOrigin(headers, secrets);
    if (becomesGet(answer.statusCode, method)) {
      method = 'GET';
      body = undefined;
      headers = withoutBody(headers);
    } else if (body !== undefined && typeof body !== 'string') {
      throw new PlexiError('EGRESS_FAILED', 'A redirect asks for a streamed body again, which is gone.');
    }
    // Boundary: each hop is checked anew; a redirect is the other side's word.
    target = check(next.href);
    visible = secrets.hide(next.href);
  }
  throw new PlexiError('EGRESS_FAILED', `More than ${MAX_REDIRECTS} redirects.`);
}

/** As the fetch standard has it. */
function becomesGet(status: number, method: string): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD';
  return status < 303 && method === 'POST';
}

function toResponse(
  answer: Dispatcher.ResponseData,
  url: string,
  secrets: RequestSecrets,
  sendOn: () => number,
): HttpResponse {
  const headers: HeaderPair[] = [];
  for (const [name, value] of Object.entries(answer.headers)) {
    // An upstream's cookies are its own business with whoever logs in there, not the module's.
    if (name === 'set-cookie' || value === undefined) continue;
    if (secrets.hide(name) !== name) continue;
    headers.push([name, secrets.hide(Array.isArray(value) ? value.join(', ') : value)]);
  }
  return {
    status: answer.statusCode,
    statusText: secrets.hide(answer.statusText ?? ''),
    url,
    headers,
    body: { kind: 'stream', stream: sendOn() },
  };
}
