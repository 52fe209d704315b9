/** The only file that knows every room: makes the host out of its settings, and takes it down again. */
import { join } from 'node:path';
import { DEFAULT_QUOTA, type QuotaLimits } from './bridge/quota.ts';
import { buildCellFiles, type CellFiles } from './cells/build.ts';
import { type OpenJail, probeJail } from './cells/jail/probe-jail.ts';
import { CellPool, warmCellFiles } from './cells/pool.ts';
import { createSpawner } from './cells/spawner.ts';
import { createCapabilities } from './compose/capabilities.ts';
import { gatewayOptions, socketLimits } from './compose/gateway-options.ts';
import { createModuleHost } from './compose/module-host.ts';
import { createOperators } from './compose/operators.ts';
import { createTaskRoom } from './compose/tasks.ts';
import type { HostSettings } from './config/settings-schema.ts';
import { createGateway } from './gateway/app.ts';
import { serveGateway } from './gateway/serve.ts';
import { findEndpointProblems } from './invocation/plan.ts';
import { createBundleStore } from './modules/bundle-store.ts';
import { createChores } from './modules/chores.ts';
import { HostedModule } from './modules/hosted-module.ts';
import { type CheckedModule, loadModules } from './modules/load.ts';
import { Registry } from './modules/registry.ts';
import type { Logger } from './observability/log.ts';
import { createMetrics } from './observability/metrics.ts';
import { shrinkHeap } from './observability/shrink-heap.ts';
import { openDataFolder } from './state/data-folder.ts';
import { createDesk } from './tasks/desk.ts';
import { findTaskProblems } from './tasks/plan.ts';
import type { TaskDesk } from './tasks/task-desk.ts';

export interface HostOptions {
  readonly settings: HostSettings;
  readonly environment: Readonly<Record<string, string | undefined>>;
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
export async function startHost({ settings, environment, log }: HostOptions): Promise<Host> {
  const data = await openDataFolder(settings.data);
  const registry = new Registry();
  /** What each module was granted and holds, for the capabilities; by name. */
  const powers = new Map<string, CheckedModule>();
  const metrics = createMetrics();
  const tasks = createTaskRoom(settings, { dataFolder: data.path, registry, meter: metrics.taskMeter, log });
  const desk = createDesk(tasks);
  const operators = createOperators(settings, { desk, metrics, log });
  let ready = false;

  const gateway = createGateway(
    gatewayOptions(settings, {
      secret: data.secret,
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
  });
  const { files, jail } = await prepareCells(data.cache, settings.jail, log).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  const onNoise = (text: string): void => log.warn({ cell: text }, 'a cell printed');
  const cells = new CellPool({ files, jail, cells: settings.cells, onNoise });
  /** Where modules are learnt: each in a process that has seen no other, so that none can speak for the next. */
  const classroom = new CellPool({ files, jail, cells: 'per-module', onNoise });
  const chores = createChores();
  const store = createBundleStore(join(data.cache, 'bundles'));
  const capabilities = createCapabilities(settings, { powers, tasks, log });
  const powersOf = {
    capabilities: capabilities.table,
    diagnostics: new Set(settings.diagnostics),
    fullJit: new Set(settings.jit.full),
    quota: quotaOf(settings),
    log,
  };
  const spawn = createSpawner({ cells, ...powersOf });
  const spawnToLearn = createSpawner({ cells: classroom, ...powersOf });
  const places = { settings, files, cache: data.cache, store, cells, registry, meter: metrics.threadMeter, log };
  const modules = createModuleHost({ ...places, spawn, spawnToLearn });

  metrics.watchUsage(() => hosted(registry).map((module) => [module.name, module.usage] as const));

  const load = async (): Promise<void> => {
    await loadModules({
      directory: settings.modules,
      environment,
      grants: settings.grants,
      namedInSettings: { diagnostics: settings.diagnostics, 'jit.full': settings.jit.full },
      chores,
      store,
      registry,
      findProblems: (declaration, manifest) => [
        ...findEndpointProblems(declaration.endpoints, manifest),
        ...findTaskProblems(declaration.tasks),
      ],
      learn: modules.learn,
      host: (module) => {
        powers.set(module.manifest.module_name, module);
        return modules.host(module);
      },
      onWarning: (module, message) => log.warn({ module }, message),
    });
    // Both served the loading alone; a host runs for months on what is left.
    await Promise.all([classroom.close(), chores.close()]);
    for (const module of hosted(registry)) {
      if (!module.manifest.auto_load) continue;
      await module.start().catch((error: unknown) => log.warn({ module: module.name, err: error }, 'did not boot'));
    }
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
      await Promise.all([server.close(), tasks.close(DRAIN_MS)]);
      // One that cannot be stopped must not keep the cells: they end it.
      const stops = await Promise.allSettled(hosted(registry).map((module) => module.stop(DRAIN_MS)));
      for (const stop of stops)
        if (stop.status === 'rejected') log.error({ err: stop.reason }, 'a module did not stop');
      await Promise.all([cells.close(), classroom.close(), chores.close(), capabilities.close()]);
      await jail.close();
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

function hosted(registry: Registry): HostedModule[] {
  return registry.list().filter((module) => module instanceof HostedModule);
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
