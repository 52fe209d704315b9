/** Steps: cache, and cache store. Around `run`, which invokes the module and checks its answer. */
import type { CheckedAnswer } from '../policy/check-answer.ts';
import { addEtag } from '../policy/etag.ts';
import { waitFor } from '../policy/patience.ts';
import { canonicalSearch } from '../policy/query.ts';
import { isStorable, type ResponseCache } from '../policy/response-cache.ts';
import type { Call } from './call-module.ts';
import { cacheHeaders } from './request-headers.ts';
import type { Trace } from './trace.ts';

export interface CacheParts {
  readonly cache: ResponseCache;
  readonly now: () => number;
}

export async function answerFromCache(
  { cache, now }: CacheParts,
  call: Call,
  run: () => Promise<CheckedAnswer>,
  trace: Trace,
): Promise<CheckedAnswer> {
  const { plan } = call.target;
  const key = cacheKey(call);
  const stored = cache.find(key);
  if (stored !== undefined) {
    trace.cache = 'HIT';
    return stored;
  }
  const sharing = cache.share(key, async () => {
    const fresh = await run();
    addEtag(fresh);
    cache.store(key, fresh, plan.cacheTtlMs);
    return fresh;
  });
  // Everybody waits for themselves; the work goes on for the others.
  const patience = { deadline: call.deadline, now, signal: call.inbound.signal };
  const { answer, shared } = await waitFor(sharing, patience);
  trace.cache = shared && isStorable(answer) ? 'HIT' : 'MISS';
  // What may not be stored was meant for the one who asked; everybody else asks again.
  return shared && !isStorable(answer) ? run() : answer;
}

/** Line breaks separate the parts, and none of them can contain one: paths and headers are checked, the caller is JSON. */
function cacheKey({ target, inbound, known }: Call): string {
  const { path, search, origin, headers } = inbound;
  const seen = cacheHeaders(headers).map(([name, value]) => `${name}:${value}`);
  return `${target.plan.cacheKeyPrefix}${known?.cacheKey ?? '-'}\n${origin}${path}?${canonicalSearch(search)}\n${seen.join('\n')}`;
}
