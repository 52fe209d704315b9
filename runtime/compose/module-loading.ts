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
import { HostedModule } from '../modules/hosted-module.ts';
import type { CheckedModule, LoadOptions } from '../modules/load.ts';
import { refreshSecrets } from '../modules/refresh-secrets.ts';
import type { Registry } from '../modules/registry.ts';
import type { Logger } from '../observability/log.ts';
import { findTaskProblems } from '../tasks/plan.ts';
import { createLoadQueue, type LoadQueue } from './load-queue.ts';
import type { ModuleHost } from './module-host.ts';
import type { Security } from './security.ts';

export interface ModuleLoadingParts extends Required<Pick<LoadOptions, 'environment' | 'openDatabase'>> {
  /** Where modules are learnt: each in a process that has seen no other, so that none can speak for the next. */
  readonly openClassroom: () => CellPool;
  readonly spawnIn: (cells: CellPool) => Spawn;
  readonly store: BundleStore;
  readonly registry: Registry;
  readonly security: Pick<Security, 'grants' | 'vault'>;
  /** Modules that may run, and the secrets of each; filled here. */
  readonly powers: Map<string, CheckedModule>;
  readonly modules: ModuleHost;
  /** For those whose place was taken. */
  readonly drainMs: number;
  readonly log: Logger;
}

export interface ModuleLoading extends Pick<LoadQueue, 'loadAll' | 'loadAgain' | 'close'> {
  /** What the vault holds for the module has changed. */
  refreshSecrets(name: string): Promise<void>;
  /** Those whose place was taken have stopped. */
  retired(): Promise<void>;
}

export function createModuleLoading(settings: HostSettings, parts: ModuleLoadingParts): ModuleLoading {
  const { environment, registry, security, powers, modules, log } = parts;
  const retired = new Set<Promise<void>>();
  const onWarning = (module: string, message: string): void => log.warn({ module }, message);
  const fillSecrets = (module: string) => security.vault.read(module);

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
      directory: settings.modules,
      environment,
      namedInSettings: {
        grants: Object.keys(settings.grants),
        diagnostics: settings.diagnostics,
        'jit.full': settings.jit.full,
      },
      chores,
      store: parts.store,
      registry,
      async admit(manifest) {
        await security.grants.admit(manifest);
        return security.grants.granted(manifest.module_name);
      },
      fillSecrets,
      openDatabase: parts.openDatabase,
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
      onWarning,
    }),
    retire(module) {
      if (!(module instanceof HostedModule)) return;
      const stopped = module.stop(parts.drainMs).catch((error: unknown) => {
        log.error({ module: module.name, err: error }, 'did not stop when another took its place');
      });
      retired.add(stopped);
      void stopped.then(() => retired.delete(stopped));
    },
    onLoaded(module) {
      if (module instanceof HostedModule && module.manifest.auto_load) void startLoaded(module, log);
    },
  });

  return {
    async loadAll() {
      await queue.loadAll();
      for (const name of security.grants.keptFor) {
        if (registry.get(name) !== undefined || registry.broken.some((folder) => folder.name === name)) continue;
        const permissions = security.grants.kept(name).map(({ permission }) => formatPermission(permission));
        // Whoever puts a module of that name there again gets it all.
        log.warn({ module: name, permissions }, 'is not there any more, and what was granted to it is kept: revoke it');
      }
    },
    loadAgain: (name, isForced) => queue.loadAgain(name, isForced),
    close: () => queue.close(),
    async refreshSecrets(name) {
      let mustLoad = false;
      // A load that is under way may have read the vault before, and would put the old value in place of the new one.
      await queue.inTurn(async () => {
        const [current, folder] = [powers.get(name), queue.folders.get(name)];
        if (current === undefined || folder === undefined) {
          mustLoad = true;
          return;
        }
        const secrets = await refreshSecrets(name, folder, current, { environment, fillSecrets, onWarning });
        if (secrets === undefined) mustLoad = true;
        else powers.set(name, { ...current, secrets });
      });
      if (mustLoad) await queue.loadAgain(name, true);
    },
    async retired() {
      await Promise.all(retired);
    },
  };
}

/** What keeps it from booting is in its reasons too. */
export async function startLoaded(module: HostedModule, log: Logger): Promise<void> {
  await module.start().catch((error: unknown) => log.warn({ module: module.name, err: error }, 'did not boot'));
}

export function hosted(registry: Registry): HostedModule[] {
  return registry.list().filter((module) => module instanceof HostedModule);
}
