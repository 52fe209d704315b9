/** How the modules of this host are loaded, at its start and later: one was granted something, or a secret was set. */
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { formatPermission } from '../capabilities/permission.ts';
import type { CellPool } from '../cells/pool.ts';
import type { Spawn } from '../cells/spawner.ts';
import type { HostSettings } from '../config/settings-schema.ts';
import { findMethodProblems } from '../invocation/method-plan.ts';
import { findEndpointProblems } from '../invocation/plan.ts';
import type { BundleStore } from '../modules/bundle-store.ts';
import { createChores } from '../modules/chores.ts';
import { discoverModule } from '../modules/discover.ts';
import type { AskingManifest } from '../modules/grant-book.ts';
import { HostedModule } from '../modules/hosted-module.ts';
import { createIdleModule } from '../modules/idle-module.ts';
import type { LifeLoading } from '../modules/life-loading.ts';
import type { CheckedModule, LoadOptions } from '../modules/load.ts';
import type { ModuleBook } from '../modules/module-book.ts';
import type { Registry } from '../modules/registry.ts';
import { retireModule } from '../modules/retire-module.ts';
import type { ServedModule } from '../modules/served-module.ts';
import { TablesInForce } from '../modules/tables-in-force.ts';
import { upgradeModule } from '../modules/upgrade.ts';
import type { Logger } from '../observability/log.ts';
import { findTaskProblems } from '../tasks/plan.ts';
import { createLoadQueue, type LoadQueue } from './load-queue.ts';
import type { ModuleHost } from './module-host.ts';
import type { Security } from './security.ts';
import { createSettingsLoading, type SettingsLoading } from './settings-loading.ts';

export interface ModuleLoadingParts extends Required<Pick<LoadOptions, 'environment' | 'openDatabase'>> {
  /** Where modules are learnt: each in a process that has seen no other, so that none can speak for the next. */
  readonly openClassroom: () => CellPool;
  readonly spawnIn: (cells: CellPool) => Spawn;
  readonly store: BundleStore;
  readonly registry: Registry;
  readonly book: ModuleBook;
  /** Where an installed version is. */
  readonly folderOf: (module: string, version: string) => string | undefined;
  readonly security: Pick<Security, 'grants' | 'vault' | 'settings'>;
  /** Modules that may run, and the secrets of each; filled here. */
  readonly powers: Map<string, CheckedModule>;
  readonly modules: ModuleHost;
  /** For those whose place was taken. */
  readonly drainMs: number;
  readonly log: Logger;
}

export interface ModuleLoading extends LifeLoading, SettingsLoading, Pick<LoadQueue, 'loadAll' | 'close'> {
  /** Those whose place was taken have stopped. */
  retired(): Promise<void>;
}

export function createModuleLoading(settings: HostSettings, parts: ModuleLoadingParts): ModuleLoading {
  const { environment, registry, book, security, powers, modules, log } = parts;
  /** By module: those whose place was taken, and which have not ended. */
  const retired = new Map<string, Set<Promise<void>>>();
  /** Nobody waits for what their retired ones do. */
  const leaving = new Set<string>();
  const shadowed = new Set<string>();
  let isClosing = false;
  const onWarning = (module: string, message: string): void => log.warn({ module }, message);
  const filling = {
    fillSecrets: (module: string) => security.vault.read(module),
    fillSettings: async (module: string, version: string) => (await security.settings.read(module, version)).settings,
  };
  const finding = {
    directory: settings.modules,
    environment,
    installed: () => installedFolders(parts),
    onShadowed: (module: string) => void shadowed.add(module),
    isEnabled: (module: string) => book.isEnabled(module),
    onWarning,
  };
  /** This version is in force. */
  const admit = async (manifest: AskingManifest): Promise<void> => {
    await security.grants.admit(manifest);
    await security.settings.enter(manifest.module_name, manifest.module_version);
  };
  const tables = new TablesInForce({
    book,
    open: parts.openDatabase,
    async manifestOf(module, version) {
      const found = await discoverModule(parts.folderOf(module, version) ?? '', { environment });
      return found.ok ? found.manifest : undefined;
    },
    onWarning,
  });
  const retire = (module: ServedModule): Promise<void> => {
    if (!(module instanceof HostedModule)) return Promise.resolve();
    const { name } = module;
    const isHurried = (): boolean => isClosing || leaving.has(name);
    const stopped = retireModule(module, parts.drainMs, isHurried).catch((error: unknown) => {
      log.error({ module: name, err: error }, 'did not stop when another took its place');
    });
    const ofName = retired.get(name) ?? new Set();
    retired.set(name, ofName.add(stopped));
    void stopped.then(() => {
      ofName.delete(stopped);
      if (ofName.size === 0) retired.delete(name);
    });
    return stopped;
  };
  /** Boundary: whoever comes next under this name gives its grants, secrets and storage to no thread of an earlier one. */
  const endRetired = async (name: string): Promise<void> => {
    leaving.add(name);
    try {
      await Promise.all(retired.get(name) ?? []);
    } finally {
      leaving.delete(name);
    }
  };

  const queue = createLoadQueue({
    openRoom() {
      const classroom = parts.openClassroom();
      const chores = createChores();
      return {
        chores,
        spawnToLearn: parts.spawnIn(classroom),
        close: async () => {
          await Promise.all([classroom.close(), chores.close()]);
        },
      };
    },
    optionsIn: ({ chores, spawnToLearn }) => ({
      ...finding,
      ...filling,
      since: (module) => (shadowed.has(module) ? 0 : (book.get(module)?.installedAt ?? 0)),
      namedInSettings: {
        grants: Object.keys(settings.grants),
        diagnostics: settings.diagnostics,
        'jit.full': settings.jit.full,
      },
      chores,
      store: parts.store,
      registry,
      async admit(manifest) {
        await admit(manifest);
        return security.grants.granted(manifest.module_name);
      },
      openDatabase: (manifest) => tables.open(manifest),
      findProblems: (declaration, manifest: Manifest) => [
        ...findEndpointProblems(declaration.endpoints, manifest),
        ...findTaskProblems(declaration.tasks),
        ...findMethodProblems(declaration.methods, manifest),
      ],
      learn: (module) => modules.learn(module, spawnToLearn),
      host(module) {
        powers.set(module.manifest.module_name, module);
        return modules.host(module);
      },
    }),
    retire: (module) => void retire(module),
    onLoaded(module) {
      if (module instanceof HostedModule && module.manifest.auto_load) void startLoaded(module, log);
    },
  });

  return {
    ...createSettingsLoading({ ...finding, ...filling, queue, registry, powers, live: modules.live }),
    async loadAll() {
      await queue.loadAll();
      const isThere = (name: string): boolean =>
        registry.get(name) !== undefined || registry.broken.some((folder) => folder.name === name);
      for (const [name, secrets] of await security.vault.keptFor()) {
        // A module of that name that comes gets those which it declares.
        if (!isThere(name))
          log.warn({ module: name, secrets }, 'is not there any more, and its secrets are kept: remove them');
      }
      for (const name of security.grants.keptFor) {
        if (isThere(name)) continue;
        const permissions = security.grants.kept(name).map(({ permission }) => formatPermission(permission));
        // Whoever puts a module of that name there again gets it all.
        log.warn({ module: name, permissions }, 'is not there any more, and what was granted to it is kept: revoke it');
      }
    },
    loadAgain: (name, isForced) => queue.loadAgain(name, isForced),
    isShadowed: (name) => shadowed.has(name),
    place: (name, folder) => void queue.folders.set(name, folder),
    async upgrade(found, { enforce, notice = [] }) {
      const { name, folder } = found;
      const failure = await queue.inRoom(async (options) => {
        const [before, powersBefore] = [registry.get(name), powers.get(name)];
        let both: CheckedModule | undefined;
        let next: CheckedModule | undefined;
        let endOld = (): void => {};
        const problems = await upgradeModule(found, {
          ...options,
          openDatabase: (manifest) => tables.openFor(manifest),
          host(module) {
            next = module;
            both = withSecretsOf(module, powersBefore);
            powers.set(name, both);
            const fresh = modules.host(module);
            fresh.standing.explain(notice);
            return fresh;
          },
          beside: (manifest) => ({
            held: security.grants.held(manifest).map(({ permission }) => permission),
            end: security.grants.runBeside(manifest),
          }),
          boot: async (module) => {
            if (module instanceof HostedModule) await module.start();
          },
          discard: async (module) => {
            if (module instanceof HostedModule) await module.stop(0);
          },
          async enforce() {
            // The old one goes on with what it had, until it has ended.
            if (before !== undefined) endOld = security.grants.runBeside(before.manifest);
            try {
              await admit(found.manifest);
              await enforce();
            } catch (error) {
              // Boundary: whatever the state says, the one that goes on has what it had and no more.
              if (before !== undefined) security.grants.holdAgain(before.manifest);
              endOld();
              if (before !== undefined) await admit(before.manifest).catch(() => {});
              throw error;
            }
            queue.folders.set(name, folder);
          },
          async retire(module) {
            await retire(module);
            endOld();
            if (next !== undefined && powers.get(name) === both) powers.set(name, next);
          },
        });
        if (problems === undefined) return { problems };
        if (both !== undefined && powers.get(name) === both) {
          if (powersBefore === undefined) powers.delete(name);
          else powers.set(name, powersBefore);
        }
        if (before !== undefined) await tables.goBack(before.manifest);
        return { problems };
      });
      return failure === undefined ? ['The host is being stopped.'] : failure.problems;
    },
    async rest(name, reason) {
      await queue.inTurn(async () => {
        const module = registry.get(name);
        if (module === undefined) return;
        registry.add(createIdleModule(module.manifest, 'disabled', [reason]));
        await Promise.all([module instanceof HostedModule && module.stop(parts.drainMs), endRetired(name)]);
      });
    },
    async takeOut(name) {
      await queue.inTurn(async () => {
        await endRetired(name);
        queue.folders.delete(name);
        registry.remove(name);
        powers.delete(name);
        security.grants.dismiss(name);
      });
    },
    close() {
      isClosing = true;
      return queue.close();
    },
    async retired() {
      await Promise.all([...retired.values()].flatMap((ofName) => [...ofName]));
    },
  };
}

function installedFolders({ book, folderOf }: Pick<ModuleLoadingParts, 'book' | 'folderOf'>): Map<string, string> {
  // A version that is missing shows up as a module that cannot be loaded.
  return new Map(book.installed.map(({ module, version }) => [module, folderOf(module, version) ?? '']));
}

/** While two versions run, each finds the secrets that it knows: the gate knows modules and no versions. */
function withSecretsOf(next: CheckedModule, before: CheckedModule | undefined): CheckedModule {
  if (before === undefined) return next;
  return {
    ...next,
    secrets: new Map([...before.secrets, ...next.secrets]),
    secretHosts: new Map([...before.secretHosts, ...next.secretHosts]),
  };
}

/** What keeps it from booting is in its reasons too. */
export async function startLoaded(module: HostedModule, log: Logger): Promise<void> {
  await module.start().catch((error: unknown) => log.warn({ module: module.name, err: error }, 'did not boot'));
}

export function hosted(registry: Registry): HostedModule[] {
  return registry.list().filter((module) => module instanceof HostedModule);
}
