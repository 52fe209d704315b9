/** The plans of all modules: built on first use, thrown away when a module changes. */
import type { ModuleDirectory, ServedModule } from '../modules/served-module.ts';
import type { ResponseCache } from '../policy/response-cache.ts';
import { createSchemaBudget } from '../policy/schema.ts';
import { type EndpointPlan, type PlanLimits, planEndpoint } from './plan.ts';
import { createRoutes, type ModuleRoutes } from './routes.ts';

export interface ModulePlan {
  readonly routes: ModuleRoutes;
  /** Endpoints that the host refuses to serve, and why; for the operator. */
  readonly problems: readonly string[];
}

interface KnownPlan extends ModulePlan {
  readonly manifest: unknown;
  readonly declaration: unknown;
  readonly version: string;
  readonly cacheScope: string;
}

export interface PlanOptions {
  readonly directory: ModuleDirectory;
  readonly limits: PlanLimits;
  readonly cache: ResponseCache;
  readonly onProblem?: ((module: string, problem: string) => void) | undefined;
}

export function createPlans({
  directory,
  limits,
  cache,
  onProblem,
}: PlanOptions): (module: ServedModule) => ModulePlan {
  const known = new Map<string, KnownPlan>();
  let revision = directory.revision;
  let generation = 0;

  const forget = (name: string, plan: KnownPlan) => {
    known.delete(name);
    cache.forget(plan.cacheScope);
  };

  const forgetChanged = () => {
    revision = directory.revision;
    const modules = new Map(directory.list().map((module) => [module.name, module]));
    for (const [name, plan] of known) {
      const module = modules.get(name);
      if (module === undefined || !isPlanOf(plan, module)) forget(name, plan);
    }
  };

  return (module) => {
    if (directory.revision !== revision) forgetChanged();
    const found = known.get(module.name);
    if (found !== undefined && isPlanOf(found, module)) return found;
    if (found !== undefined) forget(module.name, found);
    generation += 1;
    const plan = planModule(module, `${module.name}@${module.version}#${generation}\n`, limits);
    for (const problem of plan.problems) onProblem?.(module.name, problem);
    known.set(module.name, plan);
    return plan;
  };
}

function isPlanOf(plan: KnownPlan, module: ServedModule): boolean {
  return (
    plan.declaration === module.declaration && plan.manifest === module.manifest && plan.version === module.version
  );
}

/** Fails closed: an endpoint whose declaration cannot be served safely is not there. */
function planModule(
  { manifest, declaration, version }: ServedModule,
  cacheScope: string,
  limits: PlanLimits,
): KnownPlan {
  const budget = createSchemaBudget();
  const plans: EndpointPlan[] = [];
  const problems: string[] = [];
  for (const endpoint of manifest.api.enabled ? declaration.endpoints : []) {
    try {
      plans.push(planEndpoint(endpoint, { manifest, budget, cacheScope, limits }));
    } catch (error) {
      problems.push(error instanceof Error ? error.message : `${endpoint.handler}: not readable`);
    }
  }
  return { manifest, declaration, version, cacheScope, routes: createRoutes(plans), problems };
}
