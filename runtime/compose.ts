/** The only file that knows every room: makes the host out of its settings, and takes it down again. */
import { join } from 'node:path';
import type { Capability } from './capabilities/capability.ts';
import { createHttpEgress, type HttpEgress } from './capabilities/http.ts';
import { createLogCapability } from './capabilities/log.ts';
import { moduleLog } from './capabilities/module-log.ts';
import { createUsersCapability } from './capabilities/users.ts';
import { buildCellFiles, type CellFiles } from './cells/build.ts';
import { CellPool, warmCellFiles } from './cells/pool.ts';
import { createSpawner, type Spawn } from './cells/spawner.ts';
import type { HostSettings } from './config/settings-schema.ts';
import { createGateway, type GatewayOptions } from './gateway/app.ts';
import { serveGateway } from './gateway/serve.ts';
import { findEndpointProblems } from './invocation/plan.ts';
import { type BundleStore, createBundleStore } from './modules/bundle-store.ts';
import { createChores } from './modules/chores.ts';
import { HostedModule } from './modules/hosted-module.ts';
import { learnDeclaration } from './modules/learn.ts';
import { type CheckedModule, loadModules, type PreparedModule } from './modules/load.ts';
import { Registry } from './modules/registry.ts';
import { Slots } from './modules/slots.ts';
import type { Logger } from './observability/log.ts';
import { mapStack } from './observability/map-stack.ts';
import { printable } from './observability/printable.ts';
import { shrinkHeap } from './observability/shrink-heap.ts';
import { openDataFolder } from './state/data-folder.ts';

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
  /** Every module of the folder has been looked at, and those with auto_load have booted or failed. */
  readonly loaded: Promise<void>;
  close(): Promise<void>;
}

const MB = 1024 * 1024;
const BOOT_MS = 15_000;
const LEARN_MS = 10_000;
const SWEEP_MS = 1_000;
const DRAIN_MS = 10_000;
const SETTLE_MS = 1_000;
/** Modules that boot with the host come back by themselves after their cell died: so many at once, so many waiting. */
const COMEBACKS_AT_ONCE = 2;
const MAX_COMEBACKS = 10_000;

/** @throws ListenError, Error when the host cannot start at all; nothing is left running then */
export async function startHost({ settings, environment, log }: HostOptions): Promise<Host> {
  const data = await openDataFolder(settings.data);
  const registry = new Registry();
  /** What each module was granted and holds, for the capabilities; by name. */
  const powers = new Map<string, CheckedModule>();
  let ready = false;

  const gateway = createGateway(gatewayOptions(settings, data.secret, registry, log, () => ready));
  // The door opens first: a host that is asked while it loads says so, instead of refusing connections.
  const server = await serveGateway(gateway, {
    host: settings.host,
    port: settings.port,
    onError: (error) => log.error({ err: error }, 'the socket failed'),
  });
  const files = await prepareCells(data.cache, log).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  const onNoise = (text: string): void => log.warn({ cell: text }, 'a cell printed');
  const cells = new CellPool({ files, cells: settings.cells, onNoise });
  /** Where modules are learnt: away from those that run, and gone with all that was left behind when loading is over. */
  const classroom = new CellPool({ files, cells: 1, onNoise });
  const comebacks = new Slots(COMEBACKS_AT_ONCE, MAX_COMEBACKS);
  const chores = createChores();
  const store = createBundleStore(join(data.cache, 'bundles'));
  const egress = createEgress(settings, powers);
  const powersOf = {
    capabilities: { http: egress.capability, ...otherCapabilities(settings, powers, log) },
    diagnostics: new Set(settings.diagnostics),
    fullJit: new Set(settings.jit.full),
    log,
  };
  const spawn = createSpawner({ cells, ...powersOf });
  const spawnToLearn = createSpawner({ cells: classroom, ...powersOf });

  const load = async (): Promise<void> => {
    await loadModules({
      directory: settings.modules,
      environment,
      grants: settings.grants,
      namedInSettings: { diagnostics: settings.diagnostics, 'jit.full': settings.jit.full },
      chores,
      store,
      registry,
      findProblems: (declaration, manifest) => findEndpointProblems(declaration.endpoints, manifest),
      learn: (module) => learn(module, spawnToLearn, store, files, data.cache, settings),
      host: (module) => {
        powers.set(module.manifest.module_name, module);
        return hostModule(module, spawn, store, cells, comebacks, settings, log);
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
    loaded,
    async close() {
      closing = true;
      clearInterval(sweep);
      clearTimeout(settle);
      await server.close();
      // One that cannot be stopped must not keep the cells: they end it.
      const stops = await Promise.allSettled(hosted(registry).map((module) => module.stop(DRAIN_MS)));
      for (const stop of stops)
        if (stop.status === 'rejected') log.error({ err: stop.reason }, 'a module did not stop');
      await Promise.all([cells.close(), classroom.close(), chores.close(), egress.close()]);
    },
  };
}

function hosted(registry: Registry): HostedModule[] {
  return registry.list().filter((module) => module instanceof HostedModule);
}

function gatewayOptions(
  { limits, auth, trust_proxy }: HostSettings,
  secret: Uint8Array,
  directory: Registry,
  log: Logger,
  isReady: () => boolean,
): GatewayOptions {
  return {
    directory,
    auth: {
      secret,
      ...(auth.jwks_url === undefined ? {} : { jwksUrl: auth.jwks_url }),
      ...(auth.issuer === undefined ? {} : { issuer: auth.issuer }),
      ...(auth.audience === undefined ? {} : { audience: auth.audience }),
      apiKeys: auth.api_keys,
    },
    limits: {
      bodyBytes: limits.body_mb * MB,
      uploadBytes: limits.upload_mb * MB,
      maxTimeoutMs: limits.max_timeout_seconds * 1000,
      maxInflight: limits.max_inflight,
    },
    trustedProxies: trust_proxy ? 1 : 0,
    ready: () => {
      const ready = isReady();
      return { ready, detail: ready ? 'All modules have been loaded.' : 'The modules are being loaded.' };
    },
    onAnswer: ({ error, ...answered }) => {
      if (answered.status >= 500) log.warn({ ...answered, err: error }, 'request failed');
    },
    onError: (error, requestId) => log.error({ err: error, requestId }, 'request failed'),
    onEndpointProblem: (module, problem) => log.warn({ module }, problem),
  };
}

async function prepareCells(cache: string, log: Logger): Promise<CellFiles> {
  const files = await buildCellFiles(cache);
  await warmCellFiles(files).catch((error: unknown) =>
    log.warn({ err: error }, 'the kernel could not be warmed up; modules boot more slowly'),
  );
  return files;
}

function createEgress({ egress }: HostSettings, powers: ReadonlyMap<string, CheckedModule>): HttpEgress {
  return createHttpEgress(
    {
      allowPrivate: new Set(egress.allow_private),
      timeoutMs: egress.timeout_seconds * 1000,
      maxResponseBytes: egress.max_response_mb * MB,
    },
    {
      granted: (module) => powers.get(module)?.grants ?? [],
      secret: (module, name) => powers.get(module)?.secrets.get(name),
    },
  );
}

function otherCapabilities(
  { auth }: HostSettings,
  powers: ReadonlyMap<string, CheckedModule>,
  log: Logger,
): Record<string, Capability> {
  const users = new Map(auth.api_keys.map(({ sub, tier, permissions }) => [sub, { id: sub, tier, permissions }]));
  return {
    log: createLogCapability(moduleLog(log)),
    users: createUsersCapability({ find: (id) => users.get(id) }, (module) => powers.get(module)?.grants ?? []),
  };
}

async function logStack(stack: string, module: PreparedModule, store: BundleStore, log: Logger): Promise<void> {
  const map = await store.readMap(module.hash);
  log.warn({ module: module.manifest.module_name }, printable(mapStack(stack, map)));
}

/** While a module is being learnt it has no powers yet: it is asked what it declares, not let out. */
function learn(
  module: CheckedModule,
  spawn: Spawn,
  store: BundleStore,
  files: CellFiles,
  cache: string,
  { limits }: HostSettings,
) {
  return learnDeclaration({
    folder: join(cache, 'declarations'),
    content: [module.hash, JSON.stringify(module.manifest), files.kernelHash],
    spawn: async () =>
      spawn({
        module: module.manifest.module_name,
        code: await store.readCode(module.hash),
        manifest: module.manifest,
        memoryMb: Math.min(module.manifest.runtime.memory_mb, limits.max_memory_mb),
        onExit: () => {},
      }),
    timeoutMs: LEARN_MS,
  });
}

function hostModule(
  module: PreparedModule,
  spawn: Spawn,
  store: BundleStore,
  cells: CellPool,
  comebacks: Slots,
  { limits, diagnostics }: HostSettings,
  log: Logger,
): HostedModule {
  const { module_name: name, runtime } = module.manifest;
  return new HostedModule({
    manifest: module.manifest,
    declaration: module.declaration,
    limits: {
      instances: Math.min(runtime.instances, limits.max_instances),
      concurrency: Math.min(runtime.concurrency, limits.max_concurrency),
      idleMs: runtime.idle_timeout * 1000,
      bootMs: BOOT_MS,
    },
    readCode: () => store.readCode(module.hash),
    spawn: (code, onExit) =>
      spawn({
        module: name,
        code,
        manifest: module.manifest,
        memoryMb: Math.min(runtime.memory_mb, limits.max_memory_mb),
        onExit,
      }),
    isAlone: (instance) => cells.isAlone(instance.cell),
    comebacks,
    onChange: ({ state, reasons }, from) => {
      log[state === 'crashed' || state === 'parked' ? 'warn' : 'debug']({ module: name, from, reasons }, state);
    },
    // A stack that nobody asked for is a guest's invention.
    onStack: diagnostics.includes(name) ? (stack) => void logStack(stack, module, store, log) : () => {},
  });
}
