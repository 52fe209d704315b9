/** `GET /metrics`, for Prometheus. It tells which modules and tasks there are, so it is for operators unless they opened it. */
import { Hono } from 'hono';
import type { Authenticate } from '../policy/authenticate.ts';
import { type OperatorEnv, operatorsOnly } from './operator.ts';

export interface Scrapes {
  readonly contentType: string;
  scrape(): Promise<string>;
}

export function metricsRoute(metrics: Scrapes, authenticate: Authenticate, isPublic: boolean): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  if (!isPublic) routes.use('/metrics', operatorsOnly(authenticate, 'modules:read'));
  routes.get('/metrics', async (context) => {
    const text = await metrics.scrape();
    return context.body(text, 200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' });
  });
  return routes;
}
