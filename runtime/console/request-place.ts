/** Where a request came in, as its client sees it: what its own origin is, whether it came by TLS, from which address. */
import type { Context } from 'hono';
import { clientAddress } from '../gateway/client-address.ts';
import type { GatewayEnv } from '../gateway/env.ts';

type Asked = Pick<Context<GatewayEnv>, 'env' | 'req'>;

export interface RequestPlace {
  /** undefined when the Host header is no host. */
  readonly origin: string | undefined;
  readonly isSecure: boolean;
  readonly address: string;
}

/**
 * Boundary: X-Forwarded-* counts only when the operator says that a proxy of theirs writes it; its last entry is what
 * that proxy wrote.
 */
export function placeOf(context: Asked, trustedProxies: number): RequestPlace {
  const direct = directPlace(context);
  const forwarded = (name: string) =>
    trustedProxies === 0 ? undefined : context.req.header(name)?.split(',').at(-1)?.trim();
  const forwardedProto = forwarded('x-forwarded-proto');
  const scheme = forwardedProto === 'http' || forwardedProto === 'https' ? forwardedProto : direct.scheme;
  return {
    origin: originOf(scheme, forwarded('x-forwarded-host') ?? direct.host),
    isSecure: scheme === 'https',
    address: clientAddress(
      direct.address,
      { 'x-forwarded-for': context.req.header('x-forwarded-for') },
      trustedProxies,
    ),
  };
}

/** Without a socket, as in `app.request()`, the URL says it. */
function directPlace({ env, req }: Asked) {
  const incoming = env?.incoming;
  if (incoming === undefined) {
    const { protocol, host } = new URL(req.url);
    return { scheme: protocol.slice(0, -1), host: req.header('host') ?? host, address: '127.0.0.1' };
  }
  const scheme = 'encrypted' in incoming.socket ? 'https' : 'http';
  return { scheme, host: incoming.headers.host ?? '', address: incoming.socket.remoteAddress };
}

const HOST = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

function originOf(scheme: string, host: string): string | undefined {
  if (!HOST.test(host)) return undefined;
  try {
    return new URL(`${scheme}://${host}`).origin;
  } catch {
    return undefined;
  }
}
