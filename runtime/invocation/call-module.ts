/** Step: invoke. Puts the request into the module's words and waits for its answer. */
import type { EndpointRequest } from '@plexichat/sdk/protocol/invocation';
import type { Body, ModuleAnswer } from '../modules/served-module.ts';
import type { KnownCaller } from '../policy/caller.ts';
import { discard } from '../policy/check-answer.ts';
import type { RawRecord } from '../policy/convert.ts';
import type { Patience } from '../policy/patience.ts';
import type { ValidInput } from '../policy/validate.ts';
import type { Inbound } from './inbound.ts';
import type { ReceivedBody } from './receive-body.ts';
import { cacheHeaders, requestHeaders } from './request-headers.ts';
import type { Target } from './route.ts';

export interface Call {
  readonly target: Target;
  readonly inbound: Inbound;
  readonly known: KnownCaller | null;
  readonly received: ReceivedBody;
  readonly query: RawRecord;
  /** undefined when the module checks its input itself. */
  readonly input: ValidInput | undefined;
  /** When the whole request gives up, waiting for others' answers included. */
  readonly deadline: number;
}

/** @throws PlexiError whatever ServedModule.invoke throws, and PAYLOAD_TOO_LARGE or MALFORMED_BODY for an upload that is refused on the way */
export function callModule(call: Call): Promise<ModuleAnswer> {
  const request = moduleRequest(call);
  if (call.received.kind === 'upload') return callWithUpload(call, request, call.received.limitBytes);
  return call.target.module.invoke(request, { body: moduleBody(call), signal: signalOf(call) });
}

/** How long the module's work for this call is waited for. */
export function patienceOf(call: Call, now: () => number): Patience {
  // Plain fields: an accessor would give every one of these a hidden class of its own, which lives until a full collection.
  return { deadline: call.deadline, now, signal: signalOf(call) };
}

/** An answer that others will be given must not die with the first client. */
function signalOf({ target, inbound }: Call): AbortSignal | undefined {
  return target.plan.cacheTtlMs > 0 ? undefined : inbound.signal;
}

function moduleRequest({ target, inbound, known, query, input, deadline }: Call): Omit<EndpointRequest, 'invocation'> {
  const { plan } = target;
  const { path, search, origin } = inbound;
  const headers = plan.cacheTtlMs > 0 ? cacheHeaders(inbound.headers) : requestHeaders(inbound.headers);
  return {
    handler: plan.handler,
    method: plan.method,
    url: search === '' ? origin + path : `${origin}${path}?${search}`,
    headers: input?.bodyChanged === true ? headers.filter(([name]) => name !== 'content-length') : headers,
    params: input?.params ?? target.params,
    query: input?.query ?? query,
    user: known?.caller ?? null,
    requestId: inbound.requestId,
    deadline,
  };
}

/** Defaults that were filled in are part of what was checked, so the module gets them too. */
function moduleBody({ received, input }: Call): Body {
  if (received.kind !== 'text') return { kind: 'none' };
  return { kind: 'text', text: input?.bodyChanged === true ? JSON.stringify(received.json) : received.text };
}

/** While nothing was answered, a body that is refused on the way is the client's 413 or 400; later it breaks the stream. */
async function callWithUpload(
  { target, inbound }: Call,
  request: Omit<EndpointRequest, 'invocation'>,
  limitBytes: number,
): Promise<ModuleAnswer> {
  const refused = new AbortController();
  const refusal = Promise.withResolvers<never>();
  const stream = inbound.streamBody(limitBytes, (error) => {
    refused.abort(error);
    refusal.reject(error);
  });
  const signal = inbound.signal === undefined ? refused.signal : AbortSignal.any([inbound.signal, refused.signal]);
  const answer = target.module.invoke(request, { body: { kind: 'stream', stream }, signal });
  refusal.promise.catch(() => {});
  try {
    return await Promise.race([answer, refusal.promise]);
  } catch (error) {
    answer.then(({ body }) => discard(body)).catch(() => {});
    discard({ kind: 'stream', stream });
    throw error;
  }
}
