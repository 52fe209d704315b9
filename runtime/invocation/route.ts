/** Step: route. One plain path, one module that may be called, one endpoint. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { ModuleDirectory, ServedModule } from '../modules/served-module.ts';
import { assertServable } from '../policy/module-state.ts';
import { assertPlainPath } from '../policy/path.ts';
import type { EndpointPlan } from './plan.ts';
import type { ModulePlan } from './plans.ts';

export interface Target {
  readonly module: ServedModule;
  readonly plan: EndpointPlan;
  readonly params: Readonly<Record<string, string>>;
}

export interface RouteParts {
  readonly directory: ModuleDirectory;
  readonly planOf: (module: ServedModule) => ModulePlan;
}

/** @throws PlexiError NOT_FOUND, METHOD_NOT_ALLOWED, MODULE_UNAVAILABLE */
export function route(parts: RouteParts, method: string, path: string): Target {
  const module = findModule(parts.directory, path);
  assertLoaded(module);
  const { routes } = parts.planOf(module);
  const below = pathBelow(module, path);
  const found = routes.find(method === 'HEAD' ? 'GET' : method, below);
  if (found === undefined) throw noEndpoint(module, method, below, routes.allowedMethods(below));
  assertServable(module.name, module.state);
  return { module, plan: found.plan, params: found.params };
}

/** For OPTIONS. @throws PlexiError NOT_FOUND, MODULE_UNAVAILABLE */
export function allowedMethods(parts: RouteParts, path: string): readonly string[] {
  const module = findModule(parts.directory, path);
  assertLoaded(module);
  const allowed = parts.planOf(module).routes.allowedMethods(pathBelow(module, path));
  if (allowed.length === 0) throw notFound(path);
  return allowed;
}

function findModule(directory: ModuleDirectory, path: string): ServedModule {
  assertPlainPath(path);
  const module = directory.find(path);
  if (module === undefined) {
    if (directory.isAnnounced === false) throw stillLoading('The modules are');
    throw notFound(path);
  }
  const { prefix } = module;
  // Boundary: `/api/v1/weather` does not cover `/api/v1/weathermap`, whoever did the finding.
  if (!path.startsWith(prefix) || (path.length > prefix.length && path[prefix.length] !== '/')) throw notFound(path);
  return module;
}

function assertLoaded({ name, isLoading }: ServedModule): void {
  if (isLoading === true) throw stillLoading(`The module ${name} is`);
}

function stillLoading(who: string): PlexiError {
  return new PlexiError('MODULE_UNAVAILABLE', `${who} being loaded.`, { headers: { 'retry-after': '2' } });
}

function pathBelow(module: ServedModule, path: string): string {
  return path.length === module.prefix.length ? '/' : path.slice(module.prefix.length);
}

function noEndpoint(module: ServedModule, method: string, path: string, allowed: readonly string[]): PlexiError {
  if (allowed.length > 0) {
    const list = allowed.join(', ');
    return new PlexiError('METHOD_NOT_ALLOWED', `${method} is not allowed here; allowed are ${list}.`, {
      headers: { allow: list },
    });
  }
  // What a module that cannot be loaded would have, nobody knows: say so instead of "no such endpoint".
  assertServable(module.name, module.state);
  return new PlexiError('NOT_FOUND', `The module ${module.name} has no endpoint ${path}.`);
}

function notFound(path: string): PlexiError {
  return new PlexiError('NOT_FOUND', `No module answers ${path}.`);
}
