/** The only file that knows every room: makes the host out of its settings, and takes it down again. */
import { join } from 'node:path';
import { createCapabilityTable } from './capabilities/capability.ts';
import { createHttpEgress } from './capabilities/http.ts';
import { createLogCapability } from './capabilities/log.ts';
import { moduleLog } from './capabilities/module-log.ts';
import { createUsersCapability } from './capabilities/users.ts';
import { buildCellFiles } from './cells/build.ts';
import { Instance } from './cells/instance.ts';
import { CellPool, warmCellFiles } from './cells/pool.ts';
import type { HostSettings } from './config/settings-schema.ts';
import { createGateway } from './gateway/app.ts';
import { serveGateway } from './gateway/serve.ts';
import { findEndpointProblems } from './invocation/plan.ts';
import { createChores } from './modules/chores.ts';
import { HostedModule } from './modules/hosted-module.ts';
import { learnDeclaration } from './modules/learn.ts';
import { loadModules, type PreparedModule } from './modules/load.ts';
import { Registry } from './modules/registry.ts';
import type { Logger } from './observability/log.ts';
import { mapStack } from './observability/map-stack.ts';
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

/** @throws Error when the host cannot start at all; nothing is left running then */
export async function startHost({ settings, environment, log }: HostOptions): Promise<Host> {
  const data = await openDataFolder(settings.data);
  const registry = new Registry();
  const prepared = new Map<string, PreparedModule>();
  const chores = createChores();
  const egress = createHttpEgress(
    {
      allowPrivate: new Set(settings.egress.allow_private),
      timeoutMs: settings.egress.timeout_seconds * 1000,
      maxResponseBytes: settings.egress.max_response_mb * MB,
    },
    {
      granted: (module) => prepared.get(module)?.grants ?? [],
      secret: (module, name) => prepared.get(module)?.secrets.get(name),
    },
  );
  const users = new Map(
    settings.auth.api_keys.map(({ sub, tier, permissions }) => [sub, { id: sub, tier, permissions }]),
  );
  const capabilities = {
    http: egress.capability,
    log: createLogCapability(moduleLog(log)),
    users: createUsersCapability({ find: (id) => users.get(id) }, (module) => prepared.get(module)?.grants ?? []),
  };

  let ready = false;
  const gateway = createGateway({
    directory: registry,
    auth: authSettings(settings, data.secret),
    limits: {
      bodyBytes: settings.limits.body_mb * MB,
      uploadBytes: settings.limits.upload_mb * MB,
      maxTimeoutMs: settings.limits.max_timeout_seconds * 1000,
      maxInflight: settings.limits.max_inflight,
    },
    trustedProxies: settings.trust_proxy ? 1 : 0,
    ready: () => ({ ready, detail: ready ? 'All modules have been loaded.' : 'The modules are being loaded.' }),
    onAnswer: ({ error, ...answered }) => {
      if (answered.status >= 500) log.warn({ ...answered, err: error }, 'request failed');
    },
    onError: (error, requestId) => log.error({ err: error, requestId }, 'request failed'),
    onEndpointProblem: (module, problem) => log.warn({ module }, problem),
  });
  // The door opens first: a host that is asked while it loads says so, instead of refusing connections.
  const server = await serveGateway(gateway, { host: settings.host, port: settings.port });

  const files = await buildCellFiles(data.cache);
  await warmCellFiles(files).catch((error: unknown) =>
    log.warn({ err: error }, 'the kernel could not be warmed up; boots are slower'),
  );
  const cells = new CellPool({
    files,
    cells: settings.cells,
    onNoise: (text) => log.warn({ cell: text }, 'a cell printed'),
  });

  const spawn = (
    module: Omit<PreparedModule, 'declaration'>,
    alone: boolean,
    onExit: ConstructorParameters<typeof Instance>[0]['onExit'],
  ): Instance => {
    const name = module.manifest.module_name;
    const jit = settings.jit.full.includes(name) ? 'full' : 'safe';
    const cell = cells.place({ alone, jit });
    const ended = new AbortController();
    return new Instance({
      cell,
      module: name,
      code: module.code,
      manifest: module.manifest,
      memoryMb: Math.min(module.manifest.runtime.memory_mb, settings.limits.max_memory_mb),
      diagnostics: settings.diagnostics.includes(name),
      calls: (session, quota) =>
        createCapabilityTable(capabilities, { module: name, session, signal: ended.signal }, quota, (call, error) =>
          log.error({ module: name, call, err: error }, 'a capability failed'),
        ),
      onViolation: (reason) => log.warn({ module: name, security: true }, `bridge: ${reason}`),
      onExit: (exit) => {
        ended.abort();
        onExit(exit);
        cells.release(cell);
      },
    });
  };

  const host = (module: PreparedModule): HostedModule => {
    const name = module.manifest.module_name;
    prepared.set(name, module);
    const { runtime } = module.manifest;
    return new HostedModule({
      manifest: module.manifest,
      declaration: module.declaration,
      limits: {
        instances: Math.min(runtime.instances, settings.limits.max_instances),
        concurrency: Math.min(runtime.concurrency, settings.limits.max_concurrency),
        idleMs: runtime.idle_timeout * 1000,
        bootMs: BOOT_MS,
      },
      spawn: ({ alone }, onExit) => spawn(module, alone, onExit),
      isAlone: (instance) => !cells.isShared(instance.cell),
      onChange: ({ state, reasons }, from) => {
        log[state === 'crashed' || state === 'parked' ? 'warn' : 'debug']({ module: name, from, reasons }, state);
      },
      onStack: (stack) => log.warn({ module: name }, mapStack(stack, module.map)),
    });
  };

  const load = async (): Promise<void> => {
    await loadModules({
      directory: settings.modules,
      environment,
      grants: settings.grants,
      chores,
      registry,
      host,
      learn: (module) => {
        prepared.set(module.manifest.module_name, { ...module, declaration: NOTHING_YET, grants: [] });
        return learnDeclaration({
          folder: join(data.cache, 'declarations'),
          content: [module.hash, JSON.stringify(module.manifest), files.kernelHash],
          spawn: () => spawn(module, false, () => {}),
          timeoutMs: LEARN_MS,
        });
      },
      findProblems: (declaration, manifest) => findEndpointProblems(declaration.endpoints, manifest),
      onWarning: (module, message) => log.warn({ module }, message),
    });
    for (const module of registry.list()) {
      if (!(module instanceof HostedModule) || !module.manifest.auto_load) continue;
      await module.start().catch((error: unknown) => log.warn({ module: module.name, err: error }, 'did not boot'));
    }
    ready = true;
  };

  let closing = false;
  const sweep = setInterval(() => {
    for (const module of registry.list()) {
      if (module instanceof HostedModule) {
        module
          .sleepIfIdle(Date.now())
          .catch((error: unknown) => log.error({ module: module.name, err: error }, 'could not be put to sleep'));
      }
    }
  }, SWEEP_MS);

  const loaded = load();
  loaded.catch((error: unknown) => {
    if (!closing) log.error({ err: error }, 'the modules could not be loaded');
  });
  return {
    url: server.url,
    registry,
    cells,
    secret: data.secret,
    loaded,
    async close() {
      closing = true;
      clearInterval(sweep);
      await server.close();
      await Promise.all(
        registry.list().map((module) => (module instanceof HostedModule ? module.stop(DRAIN_MS) : undefined)),
      );
      await Promise.all([cells.close(), chores.close(), egress.close()]);
    },
  };
}

/** While a module is being learnt it has no grants: it is asked what it declares, not let out. */
const NOTHING_YET = { endpoints: [], tasks: [], events: [], pages: [] };

function authSettings({ auth }: HostSettings, secret: Uint8Array) {
  return {
    secret,
    ...(auth.jwks_url === undefined ? {} : { jwksUrl: auth.jwks_url }),
    ...(auth.issuer === undefined ? {} : { issuer: auth.issuer }),
    ...(auth.audience === undefined ? {} : { audience: auth.audience }),
    apiKeys: auth.api_keys,
  };
}
