/**
 * The HTTP edge. Two rooms behind one door: modules' endpoints go straight to the pipeline (one handler, no middleware);
 * everything of the platform's own is a Hono app with small named middleware.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { RESERVED_PREFIXES } from '@plexichat/sdk/protocol/manifest';
import { type Context, Hono } from 'hono';
import { createAdmission } from '../invocation/admission.ts';
import type { Inbound } from '../invocation/inbound.ts';
import type { InvokeParts } from '../invocation/invoke.ts';
import { createPlans } from '../invocation/plans.ts';
import type { ModuleDirectory } from '../modules/served-module.ts';
import { type Authenticate, type AuthSettings, createAuthenticate } from '../policy/authenticate.ts';
import { assertPlainPath } from '../policy/path.ts';
import { createRateLimit } from '../policy/rate-limit.ts';
import { createResponseCache } from '../policy/response-cache.ts';
import { docsPages } from './docs.ts';
import type { GatewayEnv } from './env.ts';
import { FetchInbound } from './fetch-inbound.ts';
import { healthRoutes, type Readiness } from './health.ts';
import { type Answered, createModuleDoor } from './module-door.ts';
import { BODY_TIMES, type BodyTimes, NodeInbound } from './node-inbound.ts';
import { noteAddress } from './note-address.ts';
import { openApiRoute, openApiSource } from './openapi-route.ts';
import { problemResponse } from './problem.ts';
import { requestIdOf } from './request-id.ts';
import { secureHeaders } from './secure-headers.ts';

export interface GatewayLimits {
  /** Bodies held in memory. */
  readonly bodyBytes: number;
  /** Bodies streamed to a module. */
  readonly uploadBytes: number;
  readonly maxTimeoutMs: number;
  /** Requests to modules that may be under way at once; above it the host sheds load. */
  readonly maxInflight: number;
  /** Bodies that may be coming in at once; as many as maxInflight when left out. */
  readonly maxReceiving?: number;
  /** How long a client may take to send a body. */
  readonly bodyTimes?: Partial<BodyTimes>;
  /** Memory for kept answers. */
  readonly cacheBytes?: number;
}

export interface GatewayOptions {
  readonly directory: ModuleDirectory;
  readonly auth: AuthSettings;
  readonly limits: GatewayLimits;
  readonly ready: () => Readiness;
  /** Title of the API documentation. */
  readonly title?: string;
  /** How many of the operator's own proxies stand in front; their X-Forwarded-For entries are believed. */
  readonly trustedProxies?: number;
  readonly now?: () => number;
  readonly onAnswer?: (answered: Answered) => void;
  /** An error of the platform's own pages; what modules' endpoints meet is in onAnswer. */
  readonly onError?: (error: unknown, requestId: string) => void;
  /** An endpoint that cannot be served, and why. */
  readonly onEndpointProblem?: (module: string, problem: string) => void;
  /** More of the platform's own routes: management, console, metrics. */
  readonly mount?: (platform: Hono<GatewayEnv>, tools: GatewayTools) => void;
}

export interface GatewayTools {
  readonly authenticate: Authenticate;
}

export function createGateway(options: GatewayOptions): Hono<GatewayEnv> {
  const { directory, limits, trustedProxies = 0, now = Date.now } = options;
  const cache = createResponseCache({
    now,
    ...(limits.cacheBytes === undefined ? {} : { maxBytes: limits.cacheBytes }),
  });
  const parts: InvokeParts = {
    directory,
    planOf: createPlans({ directory, limits, cache, onProblem: options.onEndpointProblem }),
    authenticate: createAuthenticate(options.auth, now),
    limitRate: createRateLimit({ now }),
    cache,
    limits,
    now,
    admission: createAdmission(limits.maxInflight, limits.maxReceiving ?? limits.maxInflight),
  };
  const moduleDoor = createModuleDoor({ parts, onAnswer: options.onAnswer });
  const platform = createPlatform(options, parts.authenticate);
  const times: BodyTimes = { ...BODY_TIMES, ...limits.bodyTimes };

  const app = new Hono<GatewayEnv>();
  app.all('*', (context) => {
    const inbound = inboundOf(context, trustedProxies, times);
    if (isForModules(inbound.path)) return moduleDoor(inbound, context);
    // Boundary: Hono decodes paths and URL resolves dots, so `/%63onsole` and `/x/../console` would be `/console` to them.
    assertPlainPath(inbound.path);
    return platform.fetch(context.req.raw, context.env);
  });
  app.onError((error, context) => {
    const requestId = requestIdOf(context.req.header('x-request-id'));
    tellError(options, error, requestId);
    return problemResponse(error, { requestId, instance: context.req.path });
  });
  return app;
}

function inboundOf(context: Context<GatewayEnv>, trustedProxies: number, times: BodyTimes): Inbound {
  const { incoming, outgoing } = context.env ?? {};
  if (incoming === undefined || outgoing === undefined) return new FetchInbound(context.req.raw, trustedProxies);
  return new NodeInbound(incoming, outgoing, context.req.raw, { trustedProxies, times });
}

/** Boundary: the platform's own paths are decided before any module is looked at, so no module can stand in for them. */
function isForModules(path: string): boolean {
  if (!path.startsWith('/api/')) return false;
  for (const prefix of RESERVED_PREFIXES) {
    if (path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')) return false;
  }
  return true;
}

function createPlatform(options: GatewayOptions, authenticate: Authenticate): Hono<GatewayEnv> {
  const { directory, title = 'PlexiChat Modules' } = options;
  const openApi = openApiSource(directory, title);
  const platform = new Hono<GatewayEnv>();
  platform.use(secureHeaders);
  platform.use(noteAddress(options.trustedProxies ?? 0));
  platform.route('/', healthRoutes(options.ready));
  platform.route('/', openApiRoute(openApi));
  platform.route('/', docsPages(openApi, title));
  options.mount?.(platform, { authenticate });
  platform.notFound((context) => {
    const error = new PlexiError('NOT_FOUND', `There is nothing at ${context.req.path}.`);
    return problemResponse(error, { requestId: context.get('requestId'), instance: context.req.path });
  });
  platform.onError((error, context) => {
    const requestId = context.get('requestId');
    tellError(options, error, requestId);
    return problemResponse(error, { requestId, instance: context.req.path });
  });
  return platform;
}

/** What the client can mend is no news. */
function tellError({ onError }: GatewayOptions, error: unknown, requestId: string): void {
  if (!(error instanceof PlexiError) || error.status >= 500) onError?.(error, requestId);
}
