/**
 * Which host a free function such as getUserTier talks to, and what a module that is being constructed belongs to.
 * A guest realm holds one module, so one slot is enough; a test harness makes its module the active one.
 */
import type { Manifest } from '../protocol/manifest.ts';
import type { HostBinding } from './host-binding.ts';

export interface ModuleSetting {
  readonly manifest: Manifest;
  readonly host: HostBinding;
}

let active: ModuleSetting | undefined;
let pending: ModuleSetting | undefined;

/** Runs the author's constructor; `this.config` and its like work in there because of `pending`. */
export function constructWith<Instance>(setting: ModuleSetting, construct: () => Instance): Instance {
  active = setting;
  pending = setting;
  try {
    return construct();
  } finally {
    pending = undefined;
  }
}

/** Called by BaseModule's constructor. @throws Error when the author constructs a module by hand */
export function takePending(name: string): ModuleSetting {
  if (pending === undefined) {
    throw new Error(
      `new ${name}() was called by hand. The platform constructs the module; in a test use createModuleHarness(${name}) of @plexichat/sdk/testing.`,
    );
  }
  return pending;
}

export function activeHost(caller: string): HostBinding {
  if (active === undefined)
    throw new Error(`${caller} works inside a running module only, not while a file is loaded.`);
  return active.host;
}
