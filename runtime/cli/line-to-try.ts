/** A request that whoever starts a host for the first time can send. */
import { TIERS, type Tier } from '@plexichat/sdk/protocol/declaration';
import type { ServedModule } from '../modules/served-module.ts';
import { accessRule } from '../policy/authorize.ts';

export interface LineToTry {
  readonly path: string;
  /** Of whoever sends it. */
  readonly tier: Tier;
}

/** What a token to try things with may do. */
export const TRIAL_PERMISSIONS: readonly string[] = ['read', 'write'];

/** A GET that needs nothing but a token of that tier. @param tiers the first that has one is taken */
export function lineToTry(modules: readonly ServedModule[], tiers: readonly Tier[] = TIERS): LineToTry | undefined {
  for (const tier of tiers) {
    const path = modules.map((module) => pathToTry(module, tier)).find((candidate) => candidate !== undefined);
    if (path !== undefined) return { path, tier };
  }
  return undefined;
}

function pathToTry({ state, prefix, manifest, declaration }: ServedModule, tier: Tier): string | undefined {
  if (state !== 'running' && state !== 'sleeping') return undefined;
  const endpoint = declaration.endpoints.find((candidate) => {
    const { method, path, schemas } = candidate;
    const { tiers, permissions } = accessRule(manifest, candidate);
    return (
      method === 'GET' &&
      !/[:*]/.test(path) &&
      !Array.isArray(schemas.query?.required) &&
      tiers.has(tier) &&
      permissions.every((permission) => TRIAL_PERMISSIONS.includes(permission))
    );
  });
  return endpoint === undefined ? undefined : prefix + (endpoint.path === '/' ? '' : endpoint.path);
}
