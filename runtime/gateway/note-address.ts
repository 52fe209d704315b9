import { createMiddleware } from 'hono/factory';
import { clientAddress } from './client-address.ts';
import type { GatewayEnv } from './env.ts';

/** For the platform's own pages: whom a request counts for, as long as nobody says who they are. */
export function noteAddress(trustedProxies: number) {
  return createMiddleware<GatewayEnv>(async (context, next) => {
    const forwarded = { 'x-forwarded-for': context.req.header('x-forwarded-for') };
    // Without a socket, as in `app.request()`, it is this machine.
    const remote = context.env?.incoming === undefined ? '127.0.0.1' : context.env.incoming.socket.remoteAddress;
    context.set('address', clientAddress(remote, forwarded, trustedProxies));
    await next();
  });
}
