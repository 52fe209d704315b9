/** How a module of this host is learnt and run: its threads, its limits, where its words go. */
import { join } from 'node:path';
import type { Declaration } from '@plexichat/sdk/protocol/declaration';
import type { CellFiles } from '../cells/build.ts';
import type { CellPool } from '../cells/pool.ts';
import type { Spawn } from '../cells/spawner.ts';
import type { HostSettings } from '../config/settings-schema.ts';
import type { BundleStore } from '../modules/bundle-store.ts';
import { HostedModule } from '../modules/hosted-module.ts';
import type { HostedModuleOptions } from '../modules/hosted-module-options.ts';
import { learnDeclaration } from '../modules/learn.ts';
import { LiveSettings } from '../modules/live-settings.ts';
import type { CheckedModule, PreparedModule } from '../modules/load.ts';
import type { Registry } from '../modules/registry.ts';
import { Slots } from '../modules/slots.ts';
import type { Logger } from '../observability/log.ts';
import { mapStack } from '../observability/map-stack.ts';
import type { ThreadMeter } from '../observability/metrics-modules.ts';
import { printable } from '../observability/printable.ts';

export interface ModuleHostParts {
  readonly settings: HostSettings;
  readonly files: CellFiles;
  readonly cache: string;
  readonly store: BundleStore;
  readonly cells: CellPool;
  readonly spawn: Spawn;
  readonly registry: Registry;
  readonly meter: ThreadMeter;
  /** A module crashed, or was parked. */
  readonly onCrash: NonNullable<HostedModuleOptions['onCrash']>;
  readonly log: Logger;
}

export interface ModuleHost {
  /** While a module is being learnt it has no powers yet: it is asked what it declares, not let out. */
  learn(module: CheckedModule, spawnToLearn: Spawn): Promise<Declaration>;
  host(module: PreparedModule): HostedModule;
  readonly live: LiveSettings;
}

const BOOT_MS = 15_000;
const LEARN_MS = 10_000;
/** Modules that boot with the host come back by themselves after their cell died: so many at once, so many waiting. */
const COMEBACKS_AT_ONCE = 2;
const MAX_COMEBACKS = 10_000;

export function createModuleHost(parts: ModuleHostParts): ModuleHost {
  const { settings, store, files, cache, cells, spawn, registry, meter, log } = parts;
  const { limits, diagnostics } = settings;
  const comebacks = new Slots(COMEBACKS_AT_ONCE, MAX_COMEBACKS);
  const memoryOf = ({ manifest }: CheckedModule) => Math.min(manifest.runtime.memory_mb, limits.max_memory_mb);
  const cpuOf = ({ manifest }: CheckedModule) => {
    const cpuMs = Math.min(manifest.runtime.cpu_ms ?? Infinity, limits.max_cpu_ms ?? Infinity);
    return cpuMs === Infinity ? undefined : cpuMs;
  };
  const live = new LiveSettings();
  return {
    live,
    learn: (module, spawnToLearn) =>
      learnDeclaration({
        folder: join(cache, 'declarations'),
        content: [module.hash, JSON.stringify(module.manifest), files.kernelHash],
        spawn: async () =>
          spawnToLearn({
            module: module.manifest.module_name,
            code: await store.readCode(module.hash),
            manifest: module.manifest,
            memoryMb: memoryOf(module),
            cpuMs: undefined,
            onSoftLimit: () => {},
            onExit: () => {},
          }),
        timeoutMs: LEARN_MS,
      }),
    host(module) {
      const { manifest, declaration } = module;
      const { module_name: name, runtime } = manifest;
      return new HostedModule({
        manifest,
        declaration,
        limits: {
          instances: Math.min(runtime.instances, limits.max_instances),
          concurrency: Math.min(runtime.concurrency, limits.max_concurrency),
          idleMs: runtime.idle_timeout * 1000,
          bootMs: BOOT_MS,
        },
        readCode: () => store.readCode(module.hash),
        spawn: (code, events) =>
          live.started(
            manifest,
            spawn({ module: name, code, manifest, memoryMb: memoryOf(module), cpuMs: cpuOf(module), ...events }),
          ),
        isAlone: (instance) => cells.isAlone(instance.cell),
        comebacks,
        onChange: (changed, from) => {
          const { state, reasons } = changed;
          registry.changed(changed, from);
          log[state === 'crashed' || state === 'parked' ? 'warn' : 'debug']({ module: name, from, reasons }, state);
        },
        onCrash: parts.onCrash,
        onRecycle: (why) => log.warn({ module: name }, why),
        onReplace: ({ limit, detail }) => {
          meter.replaced(name, limit);
          log.warn({ module: name, limit }, `a thread is replaced: ${detail}`);
        },
        onLoss: ({ reason, detail }) => {
          meter.ended(name, reason);
          log.warn({ module: name, reason, detail: printable(detail) }, 'a thread ended');
        },
        // A stack that nobody asked for is a guest's invention.
        onStack: diagnostics.includes(name) ? (stack) => void logStack(stack, module, store, log) : () => {},
      });
    },
  };
}

async function logStack(stack: string, module: PreparedModule, store: BundleStore, log: Logger): Promise<void> {
  const map = await store.readMap(module.hash);
  log.warn({ module: module.manifest.module_name }, printable(mapStack(stack, map)));
}
