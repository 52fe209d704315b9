/** Calls a module's endpoints in memory, with the checks that the host makes before a handler runs. */

import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { BaseModule } from '../module/base-module.ts';
import { createRunner } from '../module/runner.ts';
import type { Declaration, EndpointDeclaration } from '../protocol/declaration.ts';
import { ERRORS, type ErrorCode } from '../protocol/errors.ts';
import type { BodyRef, Caller, Outcome } from '../protocol/invocation.ts';
import { type Manifest, ManifestSchema } from '../protocol/manifest.ts';
import { callHarnessMethod, type HarnessCaller } from './call-method.ts';
import { convertStrings } from './convert-strings.ts';
import { emitHarnessEvent, type HarnessEvent, type HarnessEventOptions } from './emit-event.ts';
import type { PassedBreakpoint } from './fake-debug.ts';
import type { EmittedEvent } from './fake-events.ts';
import { createFakeHost, type Fakes, type LogLine, readStream, streamOf } from './fake-host.ts';
import type { SentNotification } from './fake-notifications.ts';
import type { LoggedSecurityEvent } from './fake-security-log.ts';
import type { EnqueuedTask } from './fake-tasks.ts';
import { findEndpoint } from './find-endpoint.ts';
import { type HarnessRun, type HarnessTask, runHarnessTask } from './run-task.ts';

export interface HarnessOptions {
  /** Keys of config.yaml; what is missing gets its default. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly fakes?: Fakes;
}

export interface HarnessRequest {
  /** Default: a premium user with the permissions that the endpoint asks for; null: nobody. */
  readonly user?: Partial<Caller> | null;
  /** Text and bytes go as they are, everything else as JSON. */
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HarnessAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Of the problem, when the request was refused or failed. */
  readonly code: ErrorCode | undefined;
  json(): unknown;
  text(): string;
}

export interface ModuleHarness<Module> {
  readonly module: Module;
  readonly declaration: Declaration;
  readonly logged: readonly LogLine[];
  /** What `this.tasks.enqueue` was given so far; nothing of it runs by itself. */
  readonly enqueued: readonly EnqueuedTask[];
  /** What `this.events.emit` was given so far; none of it comes back to the module by itself. */
  readonly emitted: readonly EmittedEvent[];
  /** What sendNotification was given so far. */
  readonly notifications: readonly SentNotification[];
  /** What logSecurityEvent was given so far. */
  readonly securityEvents: readonly LoggedSecurityEvent[];
  /** What is in `this.storage` at this moment, by key. */
  readonly stored: Readonly<Record<string, unknown>>;
  /** What `this.debug.breakpoint` showed so far; in tests it stops nobody. */
  readonly breakpoints: readonly PassedBreakpoint[];
  request(method: string, path: string, request?: HarnessRequest): Promise<HarnessAnswer>;
  /** Runs a task once and says how it ended; never rejects for what the handler does. */
  runTask(name: string, task?: HarnessTask): Promise<HarnessRun>;
  /** Tells the module of an event and waits for its handlers; never rejects for what they do. */
  emit(name: string, data?: unknown, options?: HarnessEventOptions): Promise<HarnessEvent>;
  /** Calls a method as another module would. @throws PlexiError with the code that the caller would get */
  callMethod(name: string, args?: unknown, caller?: HarnessCaller): Promise<unknown>;
  /**
   * Changes settings as an operator would of a module that runs; those that are not named stay.
   * @throws Error when the module has no onSettingsChanged (it would be started anew), or that fails
   */
  changeSettings(settings: Readonly<Record<string, unknown>>): Promise<void>;
  close(): Promise<void>;
}

let lastInvocation = 0;

/**
 * Starts a module as the platform would: constructor, setupRoutes, validateConfig, initialize.
 * @throws Error that names the step which failed
 * @example
 * const harness = await createModuleHarness(WeatherModule, {
 *   config: { settings: { api_key: 'test' } },
 *   fakes: { http: () => Response.json({ temperature: 21 }) },
 * });
 * const answer = await harness.request('GET', '/weather/Bonn');
 * expect(answer.json()).toEqual({ temperature: 21 });
 * const run = await harness.runTask('refresh', { data: { city: 'Bonn' } });
 * expect(run).toMatchObject({ ok: true, result: 1, logs: ['Bonn: 21'] });
 * await harness.close();
 */
export async function createModuleHarness<Module extends BaseModule<unknown>>(
  Module: new () => Module,
  options: HarnessOptions = {},
): Promise<ModuleHarness<Module>> {
  const host = createFakeHost(options.fakes ?? {});
  const manifest = completeManifest(options.config ?? {});
  host.database.declare(manifest);
  let module: Module | undefined;
  // The runner constructs the module; a subclass is the only place to see which instance that was.
  const Observed = class extends (Module as new () => BaseModule) {
    constructor() {
      super();
      module = this as unknown as Module;
    }
  };
  Object.defineProperty(Observed, 'name', { value: Module.name });
  const runner = createRunner({ default: Observed }, manifest, host.binding);
  host.tasks.declare(runner.declaration.tasks.map(({ name }) => name));
  await runner.initialize();
  if (module === undefined) throw new Error(`${Module.name} was not constructed.`);

  return {
    module,
    declaration: runner.declaration,
    logged: host.logged,
    enqueued: host.tasks.enqueued,
    emitted: host.events.emitted,
    notifications: host.notifications.sent,
    emit: (name, data = null, options = {}) =>
      emitHarnessEvent(runner, host.events, () => ++lastInvocation, name, data, options),
    securityEvents: host.securityLog.events,
    get stored() {
      return host.storage.values;
    },
    runTask: (name, task = {}) => runHarnessTask(runner, host.tasks, name, ++lastInvocation, task),
    breakpoints: host.debug.passed,
    callMethod: (name, args, caller = {}) => callHarnessMethod(runner, name, args, ++lastInvocation, caller),
    async changeSettings(settings) {
      if (runner.declaration.settingsHook !== true) throw new Error(`${Module.name} has no onSettingsChanged.`);
      await runner.changeSettings({ ...(module as BaseModule).config.settings, ...settings });
    },
    close: async () => {
      await runner.shutdown();
      host.database.close();
    },
    async request(method, path, request = {}) {
      const match = findEndpoint(runner.declaration.endpoints, method, path, request.query ?? {}, manifest.api.prefix);
      if ('code' in match) return problem(match.code, match.message);
      const { endpoint, params, query, url } = match;
      const user = callerOf(request.user, endpoint, manifest);
      const refusal = refuse(endpoint, user, manifest);
      if (refusal !== undefined) return problem(refusal.code, refusal.message);
      const { body, json, headers } = bodyOf(request);
      const invalid = validate(endpoint, { params, query, body: json });
      if (invalid !== undefined) return problem('INVALID_INPUT', invalid);
      const outcome = await runner.invoke(
        {
          invocation: ++lastInvocation,
          handler: endpoint.handler,
          method,
          url,
          headers: Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
          params: converted(endpoint, 'params', params),
          query: converted(endpoint, 'query', query),
          user,
          requestId: `test-${lastInvocation}`,
          deadline: Date.now() + 30_000,
        },
        body instanceof Uint8Array ? { kind: 'stream', stream: host.offerStream(streamOf(body)) } : toBodyRef(body),
      );
      return toAnswer(outcome, async (id) => readStream(host.takeStream(id)));
    },
  };
}

function completeManifest(config: Readonly<Record<string, unknown>>): Manifest {
  const given = { module_name: 'test_module', module_version: '1.0.0', ...config };
  const manifest = Value.Default(ManifestSchema, Value.Clone(given)) as Manifest;
  // Its default is made from the module's name, so no schema can hold it.
  if (manifest.api?.prefix === '') manifest.api.prefix = `/api/v1/${manifest.module_name}`;
  if (Value.Check(ManifestSchema, manifest)) return manifest;
  const [first] = Value.Errors(ManifestSchema, manifest);
  throw new Error(`createModuleHarness: the config is not valid at ${first?.instancePath || '/'}: ${first?.message}.`);
}

function callerOf(given: HarnessRequest['user'], endpoint: EndpointDeclaration, manifest: Manifest): Caller | null {
  if (given === null) return null;
  const tier = endpoint.userTiers?.[0] ?? (manifest.security.admin_only ? 'admin' : 'premium');
  return { id: 'test-user', tier, permissions: endpoint.permissions, ...given };
}

function refuse(
  endpoint: EndpointDeclaration,
  user: Caller | null,
  manifest: Manifest,
): { code: ErrorCode; message: string } | undefined {
  if (user === null) {
    const open =
      !manifest.security.require_authentication &&
      endpoint.permissions.length === 0 &&
      endpoint.userTiers === undefined;
    return open ? undefined : { code: 'UNAUTHENTICATED', message: 'The endpoint needs a user.' };
  }
  const tiers: readonly string[] = manifest.security.admin_only
    ? ['admin']
    : (endpoint.userTiers ?? manifest.user_tier_access);
  if (!tiers.includes(user.tier)) {
    return { code: 'FORBIDDEN', message: `The tier must be one of ${tiers.join(', ')}, the user has ${user.tier}.` };
  }
  const missing = endpoint.permissions.filter((permission) => !user.permissions.includes(permission));
  if (missing.length > 0) return { code: 'FORBIDDEN', message: `The user lacks the permission ${missing.join(', ')}.` };
  return undefined;
}

interface Parts {
  readonly params: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  readonly body: unknown;
}

function validate(endpoint: EndpointDeclaration, parts: Parts): string | undefined {
  if (!endpoint.validateInput) return undefined;
  for (const key of ['params', 'query', 'body'] as const) {
    const schema = endpoint.schemas[key] as TSchema | undefined;
    if (schema === undefined) continue;
    const value = key === 'body' ? parts.body : convertStrings(schema, parts[key]);
    if (Value.Check(schema, value)) continue;
    const [first] = Value.Errors(schema, value);
    return `${key}${first?.instancePath ?? ''} ${first?.message ?? 'is not valid'}`;
  }
  return undefined;
}

function converted(
  endpoint: EndpointDeclaration,
  key: 'params' | 'query',
  value: Record<string, unknown>,
): Record<string, unknown> {
  const schema = endpoint.schemas[key] as TSchema | undefined;
  return schema === undefined ? value : convertStrings(schema, value);
}

function bodyOf(request: HarnessRequest): {
  body: string | Uint8Array | undefined;
  json: unknown;
  headers: Record<string, string>;
} {
  const { body, headers = {} } = request;
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    return { body, json: undefined, headers: { ...headers } };
  }
  return { body: JSON.stringify(body), json: body, headers: { 'content-type': 'application/json', ...headers } };
}

function toBodyRef(body: string | undefined): BodyRef {
  return body === undefined ? { kind: 'none' } : { kind: 'text', text: body };
}

async function toAnswer(outcome: Outcome, read: (stream: number) => Promise<Uint8Array>): Promise<HarnessAnswer> {
  if (!outcome.ok) {
    const status = outcome.status ?? ERRORS[outcome.code].status;
    return problem(outcome.code, outcome.message, status, outcome.headers);
  }
  const { body } = outcome;
  const text =
    body.kind === 'text' ? body.text : body.kind === 'none' ? '' : new TextDecoder().decode(await read(body.stream));
  return answer(outcome.status, new Headers(outcome.headers), text, undefined);
}

function problem(
  code: ErrorCode,
  detail: string,
  status: number = ERRORS[code].status,
  extra: readonly [string, string][] = [],
): HarnessAnswer {
  const headers = new Headers([['content-type', 'application/problem+json'], ...extra]);
  return answer(
    status,
    headers,
    JSON.stringify({ type: 'about:blank', title: ERRORS[code].title, status, detail, code }),
    code,
  );
}

function answer(status: number, headers: Headers, text: string, code: ErrorCode | undefined): HarnessAnswer {
  return { status, headers, code, text: () => text, json: () => JSON.parse(text) };
}
