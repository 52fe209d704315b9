import { createMiddleware } from 'hono/factory';
import type { GatewayEnv } from './env.ts';
import { requestIdOf } from './request-id.ts';

/** For the platform's own answers: an id, and nothing that a browser could be talked into. Pages may set their own CSP. */
export const secureHeaders = createMiddleware<GatewayEnv>(async (context, next) => {
  const requestId = requestIdOf(context.req.header('x-request-id'));
  context.set('requestId', requestId);
  await next();
  const { headers } = context.res;
  headers.set('x-request-id', requestId);
  headers.set('x-content-type-options', 'nosniff');
  headers.set('referrer-policy', 'no-referrer');
  headers.set('x-frame-options', 'DENY');
  if (!headers.has('content-security-policy')) {
    headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  }
});
