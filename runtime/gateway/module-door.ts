/** The door for modules' endpoints: a request becomes an Inbound, the pipeline's answer becomes a Response. */
import type { Context } from 'hono';
import type { Inbound } from '../invocation/inbound.ts';
import { type InvokeParts, invoke } from '../invocation/invoke.ts';
import { allowedMethods } from '../invocation/route.ts';
import type { Trace } from '../invocation/trace.ts';
import type { CheckedAnswer } from '../policy/check-answer.ts';
import { clientStream } from './client-stream.ts';
import type { GatewayEnv } from './env.ts';
import { problemResponse } from './problem.ts';

/** What one request came to; for logs and metrics. */
export interface Answered {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Present when the request was refused or failed. */
  readonly error: unknown;
  readonly module: string | undefined;
  readonly handler: string | undefined;
  readonly caller: string | undefined;
  readonly cache: 'HIT' | 'MISS' | undefined;
  readonly durationMs: number;
}

export interface DoorOptions {
  readonly parts: InvokeParts;
  /** Not called for, not paid for. */
  readonly onAnswer?: ((answered: Answered) => void) | undefined;
}

export type ModuleDoor = (inbound: Inbound, context: Context<GatewayEnv>) => Promise<Response>;

export function createModuleDoor({ parts, onAnswer }: DoorOptions): ModuleDoor {
  const { admission } = parts;

  const admitted = async (inbound: Inbound, trace: Trace, context: Context<GatewayEnv>): Promise<Response> => {
    admission.enter();
    try {
      if (inbound.method === 'OPTIONS') return options(parts, inbound);
      return answer(await invoke(parts, inbound, trace), inbound, trace, context);
    } finally {
      admission.leave();
    }
  };

  return async (inbound, context) => {
    const trace: Trace = { target: undefined, known: null, rateLimit: '', cache: undefined };
    const startedAt = onAnswer === undefined ? 0 : performance.now();
    let response: Response;
    let failure: unknown;
    try {
      response = await admitted(inbound, trace, context);
    } catch (error) {
      failure = error;
      const place = { requestId: inbound.requestId, instance: inbound.path, headers: rateHeaders(trace) };
      response = problemResponse(error, place);
    }
    if (onAnswer !== undefined) onAnswer(answered(inbound, trace, response, failure, startedAt));
    return response;
  };
}

function options(parts: InvokeParts, inbound: Inbound): Response {
  const allow = allowedMethods(parts, inbound.path).join(', ');
  return new Response(null, { status: 204, headers: { allow, 'x-request-id': inbound.requestId } });
}

function answer(checked: CheckedAnswer, inbound: Inbound, trace: Trace, context: Context<GatewayEnv>): Response {
  // A copy: the same checked answer may be in the cache.
  const headers: Record<string, string> = { ...checked.headers, 'x-request-id': inbound.requestId };
  if (trace.rateLimit !== '') Object.assign(headers, rateHeaders(trace));
  if (trace.cache !== undefined) headers['x-cache'] = trace.cache;
  keepApart(headers, trace);
  return new Response(bodyFor(inbound, checked.body, context), { status: checked.status, headers });
}

/** Boundary: no cache between us and the client gives one caller's answer to another, whatever the module says of it. */
function keepApart(headers: Record<string, string>, { target, known }: Trace): void {
  const vary = target?.plan.vary ?? '';
  if (vary === '') return;
  headers.vary = headers.vary === undefined ? vary : `${headers.vary}, ${vary}`;
  // Not all of them read Vary.
  if (known !== null) headers['cache-control'] = forOneCaller(headers['cache-control']);
}

/** RFC 9111, 5.2.2: what a module says of time stays, what it says of shared caches does not. */
function forOneCaller(said: string | undefined): string {
  if (said === undefined) return 'private';
  const kept = said.split(',').map((directive) => directive.trim());
  const names = kept.map((directive) => directive.split('=', 1)[0]?.toLowerCase() ?? '');
  const own = kept.filter((_, index) => !SHARED.has(names[index] ?? ''));
  if (!names.includes('no-store') && !own.some((directive) => directive.toLowerCase() === 'private'))
    own.push('private');
  return own.filter((directive) => directive !== '').join(', ');
}

/** Said to caches that more than one person uses. */
const SHARED: ReadonlySet<string> = new Set(['public', 's-maxage', 'proxy-revalidate']);

function bodyFor(inbound: Inbound, body: CheckedAnswer['body'], context: Context<GatewayEnv>) {
  if (!(body instanceof ReadableStream)) return inbound.method === 'HEAD' ? null : body;
  if (inbound.method !== 'HEAD') return clientStream(body, context.env?.outgoing);
  body.cancel().catch(() => {});
  return null;
}

function rateHeaders(trace: Trace): Record<string, string> | undefined {
  const policy = trace.target?.plan.ratePolicy;
  if (trace.rateLimit === '' || policy === undefined) return undefined;
  return { ratelimit: trace.rateLimit, 'ratelimit-policy': policy };
}

function answered(inbound: Inbound, trace: Trace, response: Response, error: unknown, startedAt: number): Answered {
  return {
    requestId: inbound.requestId,
    method: inbound.method,
    path: inbound.path,
    status: response.status,
    error,
    module: trace.target?.module.name,
    handler: trace.target?.plan.handler,
    caller: trace.known?.caller.id,
    cache: trace.cache,
    durationMs: performance.now() - startedAt,
  };
}
