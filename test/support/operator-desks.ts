/** The desks behind the operators' routes, over a registry and a state of the test's own. */
import { type GrantBook, openGrantBook } from '../../runtime/modules/grant-book.ts';
import { ModuleDesk } from '../../runtime/modules/module-desk.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import { SecretDesk } from '../../runtime/modules/secret-desk.ts';
import type { ServedModule } from '../../runtime/modules/served-module.ts';
import { SettingsBook } from '../../runtime/modules/settings-book.ts';
import { SettingsDesk } from '../../runtime/modules/settings-desk.ts';
import { SecretVault } from '../../runtime/state/secret-vault.ts';
import { SecurityEvents } from '../../runtime/state/security-events.ts';
import { type MemoryState, openMemoryState } from './memory-state.ts';
import { tempFolder } from './temp-folder.ts';

export interface OperatorDesks {
  readonly registry: Registry;
  readonly state: MemoryState;
  readonly grants: GrantBook;
  readonly vault: SecretVault;
  readonly modules: ModuleDesk;
  readonly secrets: SecretDesk;
  readonly settings: SettingsDesk;
  readonly securityEvents: SecurityEvents;
  /** Modules are neither installed nor removed at these desks. */
  readonly life: () => never;
  /** Modules that were to be loaded, or to get new secrets. */
  readonly loads: string[];
  readonly refreshes: string[];
  readonly failures: unknown[];
}

export interface OperatorDesksOptions {
  readonly modules?: readonly ServedModule[];
  /** `grants:` of plexi.yaml */
  readonly settings?: Readonly<Record<string, readonly string[]>>;
  readonly load?: (name: string, desks: OperatorDesks) => Promise<void>;
}

export async function operatorDesks({
  modules: served = [],
  settings = {},
  load,
}: OperatorDesksOptions = {}): Promise<OperatorDesks> {
  const registry = new Registry();
  const state = openMemoryState();
  const loads: string[] = [];
  const refreshes: string[] = [];
  const failures: unknown[] = [];
  const onFailure = (_module: string, error: unknown) => void failures.push(error);
  const vault = new SecretVault({ folder: tempFolder(), state, environment: {}, onNotice: () => {} });
  await vault.open();
  const grants = await openGrantBook({
    state,
    settings,
    onWarning: () => {},
    onFailure: (error) => void failures.push(error),
  });
  for (const module of served) {
    await grants.admit(module.manifest);
    registry.add(module);
  }
  const modules = new ModuleDesk({
    registry,
    grants,
    async load(name) {
      loads.push(name);
      await load?.(name, desks);
    },
    onFailure,
  });
  const secrets = new SecretDesk({
    modules,
    vault,
    refresh: async (name) => void refreshes.push(name),
    onFailure,
  });
  const settingsDesk = new SettingsDesk({
    modules,
    async find(name) {
      const module = registry.get(name);
      if (module === undefined) return undefined;
      const { manifest } = module;
      const nothing = { warnings: [], overrides: [], missingSettings: [] };
      return { ok: true, name, folder: `/modules/${name}`, manifest, writtenSettings: manifest.settings, ...nothing };
    },
    book: new SettingsBook({ state }),
    vault,
    async refresh(name) {
      refreshes.push(name);
      return 'live';
    },
    onFailure,
  });
  const securityEvents = new SecurityEvents({
    state,
    onEvent: () => {},
    onFailure: (error) => void failures.push(error),
  });
  const desks: OperatorDesks = {
    registry,
    state,
    grants,
    vault,
    modules,
    secrets,
    settings: settingsDesk,
    securityEvents,
    life: () => {
      throw new Error('These desks know nothing of the lives of modules.');
    },
    loads,
    refreshes,
    failures,
  };
  return desks;
}
