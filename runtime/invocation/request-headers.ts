/** Boundary: what a module may see of a request's headers. Credentials, cookies, hop-by-hop and proxy headers stay here. */
import type { HeaderPair } from '@plexichat/sdk/protocol/invocation';
import { headerOf, type InboundHeaders } from './inbound.ts';

const HIDDEN = new Set([
  ...['authorization', 'x-api-key', 'cookie', 'cookie2', 'set-cookie', 'set-cookie2'],
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect', 'http2-settings'],
  ...['forwarded', 'via', 'x-real-ip', 'x-client-ip', 'client-ip', 'true-client-ip', 'x-cluster-client-ip'],
  // The policy has decided on this method, path and host: a module must not be talked into others.
  ...['x-http-method', 'x-http-method-override', 'x-method-override'],
  ...['x-original-url', 'x-rewrite-url', 'x-original-host', 'x-host', 'x-http-host-override'],
]);
const HIDDEN_PREFIX = /^(?:proxy-|x-forwarded-)/;

/** The only headers that may shape an answer which others can be given; they are part of the cache key. */
const CACHE_HEADERS = ['accept', 'accept-language'] as const;

export function requestHeaders(headers: InboundHeaders): HeaderPair[] {
  const pairs: HeaderPair[] = [];
  const named = namedInConnection(headerOf(headers, 'connection'));
  for (const name in headers) {
    if (HIDDEN.has(name) || HIDDEN_PREFIX.test(name) || named?.has(name) === true) continue;
    const value = headerOf(headers, name);
    if (value !== undefined) pairs.push([name, value]);
  }
  return pairs;
}

export function cacheHeaders(headers: InboundHeaders): HeaderPair[] {
  return CACHE_HEADERS.flatMap((name): HeaderPair[] => {
    const value = headerOf(headers, name);
    return value === undefined ? [] : [[name, value]];
  });
}

/** `Connection: x-secret` makes X-Secret hop-by-hop. */
function namedInConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  return new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
}
