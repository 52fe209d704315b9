/** A module that is known and does not run: not loaded yet, broken, disabled, or waiting for the operator's yes. */
import type { Declaration } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import type { ModuleState, ServedModule } from './served-module.ts';

const NOTHING: Declaration = { endpoints: [], tasks: [], events: [], pages: [] };

/** Stands in for a module until it is loaded, so that its callers are told to wait and not that it does not exist. */
export function createLoadingModule(manifest: Manifest): ServedModule {
  return { ...createIdleModule(manifest, 'installed', ['It is being loaded.']), isLoading: true };
}

export function createIdleModule(
  manifest: Manifest,
  state: Extract<ModuleState, 'failed' | 'disabled' | 'installed'>,
  reasons: readonly string[],
): ServedModule {
  const refuse = (): Promise<never> =>
    Promise.reject(new PlexiError('MODULE_UNAVAILABLE', `The module ${manifest.module_name} is ${state}.`));
  return {
    name: manifest.module_name,
    version: manifest.module_version,
    manifest,
    prefix: manifest.api.prefix,
    state,
    reasons,
    declaration: NOTHING,
    invoke: refuse,
    runTask: refuse,
    runEvent: refuse,
    callMethod: refuse,
    underWay: 0,
  };
}
