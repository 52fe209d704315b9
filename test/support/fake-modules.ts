/** Served modules without a cell: what the HTTP edge sees of a module, with handlers that a test writes. */
import type { EndpointDeclaration, TaskDeclaration } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type Manifest, ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { SignJWT } from 'jose';
import { Value } from 'typebox/value';
import { createGateway, type GatewayOptions } from '../../runtime/gateway/app.ts';
import type {
  EventDelivery,
  EventDeliveryOptions,
  InvokeOptions,
  ModuleAnswer,
  ModuleDirectory,
  ModuleState,
  ServedModule,
  TaskRun,
  TaskRunOptions,
} from '../../runtime/modules/served-module.ts';

export type FakeRequest = Parameters<ServedModule['invoke']>[0];
export type FakeHandler = (request: FakeRequest, options: InvokeOptions) => Promise<ModuleAnswer> | ModuleAnswer;

export interface FakeEndpoint extends Partial<Omit<EndpointDeclaration, 'handler' | 'method' | 'path'>> {
  readonly run?: FakeHandler;
}

export type FakeTaskHandler = (
  run: TaskRun,
  options: TaskRunOptions,
) => Promise<string | undefined> | string | undefined;

export interface FakeTask extends Partial<Omit<TaskDeclaration, 'name'>> {
  /** Gives the JSON text of the result. */
  readonly run?: FakeTaskHandler;
}

export interface FakeListener {
  readonly patterns: readonly string[];
  readonly run?: (delivery: EventDelivery, options: EventDeliveryOptions) => Promise<void> | void;
}

export interface FakeModuleOptions {
  readonly name?: string;
  readonly version?: string;
  readonly prefix?: string;
  readonly state?: ModuleState;
  /** Sections are merged into the defaults of config.yaml. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Keys are `GET /path`. */
  readonly endpoints?: Readonly<Record<string, FakeEndpoint>>;
  /** By name. */
  readonly tasks?: Readonly<Record<string, FakeTask>>;
  /** By method: what it listens to, and what it does. */
  readonly events?: Readonly<Record<string, FakeListener>>;
}

export interface FakeModule extends ServedModule {
  state: ModuleState;
  underWay: number;
  readonly eventCalls: EventDelivery[];
  readonly calls: { readonly request: FakeRequest; readonly options: InvokeOptions }[];
  readonly taskCalls: { readonly run: TaskRun; readonly options: TaskRunOptions }[];
}

export function fakeModule({ name = 'demo', version = '1.0.0', ...options }: FakeModuleOptions): FakeModule {
  const calls: FakeModule['calls'] = [];
  const taskCalls: FakeModule['taskCalls'] = [];
  const { endpoints = {}, tasks = {}, events = {} } = options;
  const eventCalls: EventDelivery[] = [];
  const handlers = new Map(Object.entries(endpoints).map(([handler, { run }]) => [handler, run]));
  return {
    name,
    version,
    calls,
    taskCalls,
    eventCalls,
    underWay: 0,
    prefix: options.prefix ?? `/api/v1/${name}`,
    state: options.state ?? 'running',
    reasons: ['for operators only'],
    manifest: fakeManifest(name, version, options.manifest),
    declaration: {
      endpoints: Object.entries(endpoints).map(declare),
      tasks: Object.entries(tasks).map(declareTask),
      events: Object.entries(events).flatMap(([handler, { patterns }]) =>
        patterns.map((pattern) => ({ handler, pattern })),
      ),
      pages: [],
    },
    async runEvent(delivery, eventOptions) {
      this.underWay += 1;
      eventCalls.push(delivery);
      eventOptions.onStart();
      try {
        await events[delivery.handler]?.run?.(delivery, eventOptions);
      } finally {
        this.underWay -= 1;
      }
    },
    async invoke(request, invokeOptions) {
      calls.push({ request, options: invokeOptions });
      const run = handlers.get(request.handler) ?? (() => json({ ok: true }));
      return run(request, invokeOptions);
    },
    callMethod: async () => {
      throw new PlexiError('MODULE_ERROR', `${name} runs no methods.`);
    },
    async runTask(run, runOptions) {
      taskCalls.push({ run, options: runOptions });
      const task = Object.hasOwn(tasks, run.task) ? tasks[run.task] : undefined;
      if (task === undefined) throw new PlexiError('MODULE_ERROR', `${name} has no task ${run.task}.`);
      runOptions.onStart?.();
      return task.run?.(run, runOptions);
    },
  };
}

function declare([handler, { run: _run, ...endpoint }]: [string, FakeEndpoint]): EndpointDeclaration {
  const [method = '', path = ''] = handler.split(' ');
  return {
    permissions: [],
    validateInput: true,
    schemas: {},
    ...endpoint,
    handler,
    method: method as EndpointDeclaration['method'],
    path,
  };
}

function declareTask([name, { run: _run, ...task }]: [string, FakeTask]): TaskDeclaration {
  return { retryCount: 0, timeout: 300, priority: 'normal', overlap: 'skip', missed: 'skip', ...task, name };
}

function fakeManifest(name: string, version: string, sections: Readonly<Record<string, unknown>> = {}): Manifest {
  const manifest = Value.Default(ManifestSchema, { module_name: name, module_version: version, ...sections });
  return manifest as Manifest;
}

/** Open to everybody, and not rate limited: for tests about something else. */
export const OPEN = { security: { require_authentication: false, admin_only: false, rate_limiting: false } };

export interface FakeDirectory extends ModuleDirectory {
  revision: number;
  modules: FakeModule[];
}

export function fakeDirectory(...modules: FakeModule[]): FakeDirectory {
  return {
    revision: 1,
    modules,
    find(pathname) {
      return this.modules.find(({ prefix }) => pathname === prefix || pathname.startsWith(`${prefix}/`));
    },
    list() {
      return this.modules;
    },
  };
}

export const SECRET = new TextEncoder().encode('a secret that is only for tests, 32+ bytes');
export const LIMITS = { bodyBytes: 1000, uploadBytes: 5000, maxTimeoutMs: 60_000, maxInflight: 100 };

export function fakeGateway(modules: FakeDirectory | FakeModule[], options: Partial<GatewayOptions> = {}) {
  return createGateway({
    directory: Array.isArray(modules) ? fakeDirectory(...modules) : modules,
    auth: { secret: SECRET },
    limits: LIMITS,
    ready: () => ({ ready: true, detail: 'all modules are loaded' }),
    ...options,
  });
}

export interface TokenClaims {
  readonly sub?: string;
  readonly tier?: string;
  readonly permissions?: unknown;
  readonly [claim: string]: unknown;
}

export function tokenFor({
  sub = 'alice',
  tier = 'basic',
  permissions = [],
  ...claims
}: TokenClaims = {}): Promise<string> {
  return new SignJWT({ tier, permissions, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setExpirationTime('1h')
    .sign(SECRET);
}

export async function bearer(claims: TokenClaims = {}): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await tokenFor(claims)}` };
}

export function json(value: unknown, status = 200, headers: [string, string][] = []): ModuleAnswer {
  return {
    status,
    headers: [['content-type', 'application/json'], ...headers],
    body: { kind: 'text', text: JSON.stringify(value) },
  };
}

export function failure(...arguments_: ConstructorParameters<typeof PlexiError>): FakeHandler {
  return () => {
    throw new PlexiError(...arguments_);
  };
}

/** The test knows what it expects; a wrong guess fails in the assertion. */
export async function jsonOf<Shape = Record<string, unknown>>(response: Response | Promise<Response>): Promise<Shape> {
  return (await (await response).json()) as Shape;
}
