/** The endpoints of one module as a router: Hono's own, as a library, over what was declared. */

import { METHODS } from '@plexichat/sdk/protocol/declaration';
import { RegExpRouter } from 'hono/router/reg-exp-router';
import { SmartRouter } from 'hono/router/smart-router';
import { TrieRouter } from 'hono/router/trie-router';
import { decodeSegment } from '../policy/path.ts';
import type { EndpointPlan } from './plan.ts';

export interface ModuleRoutes {
  find(method: string, path: string): { plan: EndpointPlan; params: Readonly<Record<string, string>> } | undefined;
  /** For 405 and OPTIONS; empty when no endpoint has this path. */
  allowedMethods(path: string): string[];
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

export function createRoutes(plans: readonly EndpointPlan[]): ModuleRoutes {
  const router = createRouter(plans);
  for (const plan of plans) router.add(plan.method, plan.path, plan);

  const find: ModuleRoutes['find'] = (method, path) => {
    if (plans.length === 0) return undefined;
    const [handlers, values] = router.match(method, path);
    // Of several that match, the one that was declared first.
    const [plan, names] = handlers[0] ?? [];
    if (plan === undefined || names === undefined) return undefined;
    if (plan.paramNames.length === 0 && plan.restFrom === undefined) return { plan, params: NO_PARAMS };
    const params: Record<string, string> = Object.create(null);
    for (const name of plan.paramNames) {
      const found = names[name];
      const value = typeof found === 'number' ? values?.[found] : found;
      if (value !== undefined) params[name] = decodeSegment(value);
    }
    if (plan.restFrom !== undefined) params['*'] = decodeSegment(path.split('/').slice(plan.restFrom).join('/'));
    return { plan, params };
  };

  return {
    find,
    allowedMethods(path) {
      const allowed: string[] = METHODS.filter((method) => find(method, path) !== undefined);
      if (allowed.includes('GET')) allowed.push('HEAD');
      return allowed.length === 0 ? [] : [...allowed, 'OPTIONS'];
    },
  };
}

/** The regular-expression router uses `@` and a number as its own mark, so such a path goes to the trie alone. */
function createRouter(plans: readonly EndpointPlan[]) {
  if (plans.some(({ path }) => /@\d/.test(path))) return new TrieRouter<EndpointPlan>();
  return new SmartRouter<EndpointPlan>({ routers: [new RegExpRouter(), new TrieRouter()] });
}
