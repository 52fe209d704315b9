/**
 * Another version of a module that is served takes its place: side by side, so that nobody waits. The new one is bundled,
 * learnt and booted first; until it has answered nothing has changed, and the old one goes on.
 */
import type { Permission } from '../capabilities/permission.ts';
import type { FoundModule } from './discover.ts';
import type { AskingManifest } from './grant-book.ts';
import { type LoadOptions, loadModule } from './load.ts';
import { IDLE, orderAmong, takenPrefix } from './load-again.ts';
import type { ServedModule } from './served-module.ts';

export interface UpgradeOptions extends LoadOptions {
  /** Both versions have what either was granted, until this is ended. */
  readonly beside: (manifest: AskingManifest) => { readonly held: readonly Permission[]; readonly end: () => void };
  /** @throws what keeps it from booting */
  readonly boot: (module: ServedModule) => Promise<void>;
  /** It was not wanted after all, and ends at once. */
  readonly discard: (module: ServedModule) => Promise<void>;
  /** The new version is in force from now on, also when the host dies the next moment. */
  readonly enforce: (found: FoundModule) => Promise<void>;
  /** The old one may finish what it does. @returns when it has */
  readonly retire: (module: ServedModule) => Promise<void>;
}

/** @returns what keeps the new version from taking over; undefined: it has */
export async function upgradeModule(
  found: FoundModule,
  options: UpgradeOptions,
): Promise<readonly string[] | undefined> {
  const { registry } = options;
  const before = registry.get(found.name);
  const problems = findUpgradeProblems(found, registry.list(), options);
  if (problems.length > 0) return problems;
  const { held, end } = options.beside(found.manifest);
  const module = await loadModule(found, { ...options, admit: async () => held });
  if (IDLE.has(module.state)) {
    end();
    return module.reasons;
  }
  try {
    await options.boot(module);
    await options.enforce(found);
  } catch (error) {
    const reasons = module.reasons.length > 0 ? module.reasons : [messageOf(error)];
    await options.discard(module).finally(end);
    return reasons;
  }
  registry.add(module);
  if (before === undefined) end();
  else void options.retire(before).finally(end);
  return undefined;
}

/** What of the other modules speaks against this version: its dependencies, its prefix, and those that depend on it. */
function findUpgradeProblems(
  found: FoundModule,
  modules: readonly ServedModule[],
  options: LoadOptions,
): readonly string[] {
  const others = modules.filter(({ name }) => name !== found.name);
  const { failures } = orderAmong(found, others, options);
  const own = failures.get(found.name) ?? takenPrefix(found, others);
  if (own !== undefined) return [own];
  return others.flatMap(({ name, state }) => {
    const failure = IDLE.has(state) ? undefined : failures.get(name);
    return failure === undefined ? [] : [failure];
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
