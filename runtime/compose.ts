/** The only file that knows every room: makes the host out of its settings, and takes it down again. */
import { join } from 'node:path';
import { DEFAULT_QUOTA, type QuotaLimits } from './bridge/quota.ts';
import { Breakpoints } from './capabilities/breakpoints.ts';
import { whileLearnt } from './capabilities/while-learnt.ts';
import { buildCellFiles, type CellFiles } from './cells/build.ts';
import { type OpenJail, probeJail } from './cells/jail/probe-jail.ts';
import { CellPool, warmCellFiles } from './cells/pool.ts';
import { createSpawner } from './cells/spawner.ts';
import { createCapabilities } from './compose/capabilities.ts';
import { openDatabaseOf, openDatabases } from './compose/databases.ts';
import { createEventRoom, createNotificationRoom, followChains } from './compose/events.ts';
import { gatewayOptions, socketLimits } from './compose/gateway-options.ts';
import { createLife, openInstalled } from './compose/life.ts';
import { createModuleHost } from './compose/module-host.ts';
import { createModuleLoading, hosted, startLoaded } from './compose/module-loading.ts';
import { createOperators } from './compose/operators.ts';
import { openSecurity } from './compose/security.ts';
import { createTaskRoom, hasQueue } from './compose/tasks.ts';
import { openWatch } from './compose/watch.ts';
import type { HostSettings } from './config/settings-schema.ts';
import { createGateway } from './gateway/app.ts';
import { serveGateway } from './gateway/serve.ts';
import { createMethodCalls } from './invocation/method-calls.ts';
import { createBundleStore } from './modules/bundle-store.ts';
import type { CheckedModule } from './modules/load.ts';
import { ModuleDesk } from './modules/module-desk.ts';
import { Registry } from './modules/registry.ts';
import { SecretDesk } from './modules/secret-desk.ts';
import { SettingsDesk } from './modules/settings-desk.ts';
import type { Logger } from './observability/log.ts';
import { createMetrics } from './observability/metrics.ts';
import { shrinkHeap } from './observability/shrink-heap.ts';
import { openDataFolder } from './state/data-folder.ts';
import { purgeModule } from './state/purge-module.ts';
import { openState } from './state/state.ts';
import { createDesk } from './tasks/desk.ts';
import type { TaskDesk } from './tasks/task-desk.ts';

export interface HostOptions {
  readonly settings: HostSettings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the settings came from, if from a file. */
  readonly settingsFile?: string | undefined;
  readonly log: Logger;
}

export interface Host {
  readonly url: string;
  readonly registry: Registry;
  readonly cells: CellPool;
  /** Signs the tokens of this host. */
  readonly secret: Uint8Array;
  readonly tasks: TaskDesk;
  /** The path of a page that signs an operator in, once and soon. */
  issueLogin(sub: string, permissions: readonly string[]): string;
  /** Every module of the folder has been looked at, and those with auto_load have booted or failed. */
  readonly loaded: Promise<void>;
  close(): Promise<void>;
}

const SWEEP_MS = 1_000;
const DRAIN_MS = 10_000;
const SETTLE_MS = 1_000;
const MB = 1024 * 1024;

/** @throws ListenError, Error when the host cannot start at all; nothing is left running then */
export async function startHost({ settings, environment, settingsFile, log: hostLog }: HostOptions): Promise<Host> {
  const data = await openDataFolder(settings.data);
  const state = await openState(data.path, hostLog);
  const watch = openWatch(settings, state, hostLog);
  const { log } = watch;
  const security = await openSecurity(settings, {
    dataFolder: data.path,
    secret: data.secret,
    environment,
    state,
    log,
  }).catch(async (error: unknown) => {
    await state.close();
    throw error;
  });
  const giveUp = async (error: unknown): Promise<never> => {
    await security.close();
    await state.close();
    throw error;
  };
  const { book, packages } = await openInstalled(settings, data.path, state).catch(giveUp);
  const registry = new Registry();
  /** What each module was granted and holds, for the capabilities; by name. */
  const powers = new Map<string, CheckedModule>();
  const metrics = createMetrics();
  watch.follow(registry, metrics);
  const tasks = createTaskRoom(settings, { dataFolder: data.path, registry, meter: metrics.taskMeter, log });
  const desk = createDesk(tasks);
  const events = createEventRoom(settings, { registry, gate: () => capabilities.gate, meter: metrics.eventMeter, log });
  const notifications = createNotificationRoom(settings, state);
  const moduleDesk = new ModuleDesk({
    registry,
    grants: security.grants,
    candidate: (name) => life.installer.candidate(name),
    load: (name) => life.installer.resume(name),
    onFailure: (module, error) => log.error({ module, err: error }, 'could not be loaded again'),
  });
  const secretDesk = new SecretDesk({
    modules: moduleDesk,
    vault: security.vault,
    refresh: async (name) => void (await loading.refreshSettings(name)),
    onFailure: (module, error) => log.error({ module, err: error }, 'its secrets could not be put in force'),
  });
  const settingsDesk = new SettingsDesk({
    modules: moduleDesk,
    find: (name) => loading.findSettings(name),
    book: security.settings,
    vault: security.vault,
    refresh: (name) => loading.refreshSettings(name),
    onFailure: (module, error) => log.error({ module, err: error }, 'its settings could not be put in force'),
  });
  const breakpoints = new Breakpoints();
  const operators = createOperators(settings, {
    breakpoints,
    desk,
    modules: moduleDesk,
    secrets: secretDesk,
    settings: settingsDesk,
    moduleLife: () => life,
    securityEvents: security.events,
    logins: security,
    events,
    notifications,
    metrics,
    watch,
    usageOf: (name) => hosted(registry).find((module) => module.name === name)?.usage,
    log,
  });
  let ready = false;

  const gateway = createGateway(
    gatewayOptions(settings, {
      secret: data.secret,
      security,
      registry,
      metrics,
      isReady: () => ready,
      mount: operators.mount,
      log,
    }),
  );
  // The door opens first: a host that is asked while it loads says so, instead of refusing connections.
  const server = await serveGateway(gateway, {
    host: settings.host,
    port: settings.port,
    limits: socketLimits(settings),
    onError: (error) => log.error({ err: error }, 'the socket failed'),
  }).catch(giveUp);
  const { files, jail } = await prepareCells(data.cache, settings.jail, log).catch(async (error: unknown) => {
    await server.close();
    return giveUp(error);
  });
  const onNoise = (text: string): void => log.warn({ cell: text }, 'a cell printed');
  const cells = new CellPool({ files, jail, cells: settings.cells, onNoise });
  const store = createBundleStore(join(data.cache, 'bundles'));
  const databases = openDatabases(settings, { files, jail, dataFolder: data.path, log });
  const capabilities = createCapabilities(settings, {
    environment,
    powers,
    tasks,
    events,
    notifications,
    modules: followChains(
      createMethodCalls({ directory: registry, maxTimeoutMs: settings.limits.max_timeout_seconds * 1000 }),
      events,
    ),
    breakpoints,
    state,
    databases,
    security,
    settingsFile,
    metrics,
    moduleLog: watch.moduleLog,
    log,
  });
  events.open();
  const powersOf = {
    capabilities: capabilities.table,
    diagnostics: new Set(settings.diagnostics),
    fullJit: new Set(settings.jit.full),
    quota: quotaOf(settings),
    onViolation: (module: string, reason: string) =>
      security.events.record(module, { kind: 'bridge_violation', name: 'bridge', details: reason }),
    log,
  };
  const spawn = createSpawner({ cells, ...powersOf });
  const places = { settings, files, cache: data.cache, store, cells, registry, meter: metrics.threadMeter, log };
  const modules = createModuleHost({ ...places, spawn, onCrash: (...crash) => life.installer.crashed(...crash) });

  metrics.watchUsage(() => hosted(registry).map((module) => [module.name, module.usage] as const));

  const loading = createModuleLoading(settings, {
    environment,
    openClassroom: () => new CellPool({ files, jail, cells: 'per-module', onNoise }),
    spawnIn: (pool) => createSpawner({ cells: pool, ...powersOf, capabilities: whileLearnt(capabilities.table) }),
    store,
    registry,
    book,
    folderOf: (module, version) => packages.folderOf(module, version),
    security,
    openDatabase: (manifest) => openDatabaseOf(databases, manifest, settings, log),
    powers,
    modules,
    drainMs: DRAIN_MS,
    log,
  });

  const life = createLife(settings, {
    registry,
    book,
    packages,
    security,
    loading,
    environment,
    purges: [
      // An embedded queue that was never opened holds nothing, and is not opened to find that out.
      async (module) => {
        if (hasQueue(settings, data.path)) await tasks.forget(module);
      },
      (module) => databases.forget(module),
      async (module) => capabilities.clearCache(module),
      (module) => security.settings.forget(module),
      (module) => purgeModule(state, module),
    ],
    drainMs: DRAIN_MS,
    log,
  });

  const load = async (): Promise<void> => {
    await loading.loadAll();
    for (const module of hosted(registry)) {
      if (module.manifest.auto_load) await startLoaded(module, log);
    }
    await life.start();
    ready = true;
    // Once the dust has settled: what loading made is garbage only when its last promises have run.
    settle = setTimeout(shrinkHeap, SETTLE_MS);
  };

  let closing = false;
  let settle: NodeJS.Timeout | undefined;
  const loaded = load();
  loaded.catch((error: unknown) => {
    if (!closing) log.error({ err: error }, 'the modules could not be loaded');
  });
  const sweep = setInterval(() => {
    for (const module of hosted(registry)) {
      module
        .sleepIfIdle(Date.now())
        .catch((error: unknown) => log.error({ module: module.name, err: error }, 'could not be put to sleep'));
    }
  }, SWEEP_MS);

  return {
    url: server.url,
    registry,
    cells,
    secret: data.secret,
    tasks: desk,
    issueLogin: operators.issueLogin,
    loaded,
    async close() {
      closing = true;
      clearInterval(sweep);
      clearTimeout(settle);
      notifications.close();
      watch.end();
      breakpoints.close();
      await Promise.all([server.close(), tasks.close(DRAIN_MS), events.close(DRAIN_MS), loading.close()]);
      // One that cannot be stopped must not keep the cells: they end it.
      const stops = await Promise.allSettled(hosted(registry).map((module) => module.stop(DRAIN_MS)));
      for (const stop of stops)
        if (stop.status === 'rejected') log.error({ err: stop.reason }, 'a module did not stop');
      await Promise.all([loading.retired(), life.close()]);
      await Promise.all([cells.close(), capabilities.close()]);
      await databases.close();
      await jail.close();
      await security.close();
      await watch.close();
      await state.close();
    },
  };
}

function quotaOf({ limits }: HostSettings): QuotaLimits {
  return {
    ...DEFAULT_QUOTA,
    callsPerSecond: limits.calls_per_second,
    bytesPerSecond: limits.bridge_mb_per_second * MB,
    linesPerSecond: limits.log_lines_per_second,
  };
}

interface PreparedCells {
  readonly files: CellFiles;
  readonly jail: OpenJail;
}

async function prepareCells(cache: string, wanted: HostSettings['jail'], log: Logger): Promise<PreparedCells> {
  const [jail, files] = await Promise.all([probeJail({ jail: wanted }), buildCellFiles(cache)]);
  const lacking = jail.layers.filter((layer) => layer.lacking);
  if (lacking.length > 0) {
    const names = lacking.map(({ name }) => name).join(', ');
    log.warn({ layers: lacking }, `cells do without a wall that this machine lacks: ${names}; see "plexi doctor"`);
  }
  await warmCellFiles(files).catch((error: unknown) =>
    log.warn({ err: error }, 'the kernel could not be warmed up; modules boot more slowly'),
  );
  return { files, jail: await jail.open(files) };
}
