/** Loads one module of a host that runs, and whoever waited for it: something was granted, or a secret was set. */
import type { FoundModule } from './discover.ts';
import { findModule, whyDisabled } from './find-modules.ts';
import { createIdleModule, createLoadingModule } from './idle-module.ts';
import { type LoadOptions, loadModule } from './load.ts';
import { prefixesClash } from './manifest-rules.ts';
import { type LoadOrder, orderModules } from './order.ts';
import type { ModuleState, ServedModule } from './served-module.ts';

export interface LoadAgainOptions extends LoadOptions {
  /** The folder of each module, as it was found. */
  readonly folders: ReadonlyMap<string, string>;
  /** Another one has taken the place of this module, which may finish what it does. */
  readonly retire: (module: ServedModule) => void;
  /** It can be served now. */
  readonly onLoaded: (module: ServedModule) => void;
}

/**
 * A module that runs goes on running when it cannot be loaded again. Never rejects for what is wrong with a module, only
 * for a state that is away.
 * @param isForced also when it is served already
 */
export async function loadAgain(name: string, isForced: boolean, options: LoadAgainOptions): Promise<void> {
  const { registry } = options;
  if (!isForced && !IDLE.has(registry.get(name)?.state ?? 'failed')) return;
  const order = await loadOne(name, options);
  // By then its dependents are in the order in which they can be loaded.
  const waited = new Set([name]);
  for (const next of order) {
    const module = registry.get(next);
    const needs = module?.manifest.dependencies.some((text) => waited.has(text.split('@')[0] ?? ''));
    if (module === undefined || next === name || needs !== true || !WAITING.has(module.state)) continue;
    waited.add(next);
    await loadOne(next, options);
  }
}

/** It waits, for itself or for another. */
const WAITING: ReadonlySet<ModuleState> = new Set(['installed', 'failed']);
/** Nothing of it runs. */
export const IDLE: ReadonlySet<ModuleState> = new Set(['installed', 'failed', 'disabled']);

async function loadOne(name: string, options: LoadAgainOptions): Promise<readonly string[]> {
  const { registry, retire, onLoaded, onWarning } = options;
  const before = registry.get(name);
  const found = before === undefined ? undefined : await findAgain(name, options);
  if (before === undefined || found === undefined) return [];
  const isIdle = IDLE.has(before.state);
  if (!found.ok) {
    if (isIdle) registry.add(createIdleModule(before.manifest, 'failed', found.reasons));
    else onWarning(name, `could not be loaded again: ${found.reasons.join(' ')}`);
    return [];
  }
  const others = registry.list().filter((module) => module.name !== name);
  const { order, failures } = orderAmong(found, others, options);
  if (isIdle) registry.add(createLoadingModule(found.manifest));
  const failure = failures.get(name) ?? takenPrefix(found, others) ?? disabledReason(found, options);
  const state = found.manifest.enabled ? 'failed' : 'disabled';
  const loaded =
    failure === undefined ? await loadModule(found, options) : createIdleModule(found.manifest, state, [failure]);
  if (!isIdle && IDLE.has(loaded.state)) {
    onWarning(name, `could not be loaded again: ${loaded.reasons.join(' ')}`);
    // What its folder holds now may ask for less: the one that goes on has what it had.
    await options.admit(before.manifest);
    return order;
  }
  registry.add(loaded);
  if (!isIdle) retire(before);
  if (!IDLE.has(loaded.state)) onLoaded(loaded);
  return order;
}

/** With another manifest than before. Who holds a prefix keeps it, whoever was there first. */
export function orderAmong(
  { name, manifest }: FoundModule,
  others: readonly ServedModule[],
  { registry, since = () => 0 }: LoadOptions,
): LoadOrder {
  const isHeld = (one: string): boolean =>
    registry.holdsPrefix(one) && (one !== name || registry.get(one)?.prefix === manifest.api.prefix);
  return orderModules([...others.map((other) => other.manifest), manifest], (one) => (isHeld(one) ? -1 : since(one)));
}

/** The order would give it to the more urgent of the two, but this one serves it by now. */
export function takenPrefix({ manifest }: FoundModule, others: readonly ServedModule[]): string | undefined {
  const holder = others.find(({ state, prefix }) => !IDLE.has(state) && prefixesClash(prefix, manifest.api.prefix));
  return holder === undefined ? undefined : `The api.prefix ${manifest.api.prefix} is taken by ${holder.name}.`;
}

function disabledReason({ name, manifest }: FoundModule, options: LoadOptions): string | undefined {
  return manifest.enabled ? undefined : whyDisabled(name, options);
}

type Found = FoundModule | { readonly ok: false; readonly reasons: readonly string[] };

/** Boundary: the same folder as before, and the same name in it; a link that stands there now is not followed. */
async function findAgain(name: string, options: LoadAgainOptions): Promise<Found | undefined> {
  const folder = options.folders.get(name);
  if (folder === undefined) return undefined;
  const found = await findModule(folder, options);
  if (!found.ok) return found;
  if (found.folder !== folder) return { ok: false, reasons: ['Its folder is a link now.'] };
  if (found.name !== name) return { ok: false, reasons: [`Its config.yaml says that it is ${found.name} now.`] };
  return found;
}
