import type { InboundHeaders } from '../invocation/inbound.ts';
import { headerOf } from '../invocation/inbound.ts';

/**
 * Whom an anonymous request counts for. X-Forwarded-For is believed only as far as the operator's own proxies wrote it:
 * with one trusted proxy, its last entry; whatever a client put in front of that is the client's invention.
 */
export function clientAddress(remote: string | undefined, headers: InboundHeaders, trustedProxies: number): string {
  const direct = remote ?? 'unknown';
  if (trustedProxies === 0) return direct;
  const hops = headerOf(headers, 'x-forwarded-for')?.split(',') ?? [];
  return hops.at(-trustedProxies)?.trim() || direct;
}
