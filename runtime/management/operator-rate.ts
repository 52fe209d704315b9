/** So that an operator's script that runs wild, or a token that leaked, costs the host little. */
import { createMiddleware } from 'hono/factory';
import type { OperatorEnv } from '../gateway/operator.ts';
import { createRateLimit, ratePolicy } from '../policy/rate-limit.ts';

/** Goes behind `operatorsOnly`. @param limit requests per minute and operator */
export function limitOperators(limit: number) {
  const limitRate = createRateLimit();
  const rules = [{ name: 'operator', key: 'operator', limit }];
  const policy = ratePolicy(rules);
  return createMiddleware<OperatorEnv>(async (context, next) => {
    const left = limitRate(context.get('operator'), '', rules);
    await next();
    context.res.headers.set('ratelimit', left);
    context.res.headers.set('ratelimit-policy', policy);
  });
}
