import { Hono } from 'hono';
import type { GatewayEnv } from './env.ts';

export interface Readiness {
  readonly ready: boolean;
  /** One sentence; anybody can read it. */
  readonly detail: string;
}

/** `/healthz`: the process answers. `/readyz`: send traffic here. */
export function healthRoutes(ready: () => Readiness): Hono<GatewayEnv> {
  const routes = new Hono<GatewayEnv>();
  routes.get('/healthz', (context) => context.json({ status: 'ok' }, 200, { 'cache-control': 'no-store' }));
  routes.get('/readyz', (context) => {
    const state = ready();
    const body = { status: state.ready ? 'ready' : 'not ready', detail: state.detail };
    return context.json(body, state.ready ? 200 : 503, { 'cache-control': 'no-store' });
  });
  return routes;
}
