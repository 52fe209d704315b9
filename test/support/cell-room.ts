/** Real cells with real instances and no host around them: what runs in there is a test's own code, not even linted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Manifest, ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { Value } from 'typebox/value';
import { type Capability, createCapabilityTable } from '../../runtime/capabilities/capability.ts';
import { createHttpEgress } from '../../runtime/capabilities/http.ts';
import { createLogCapability } from '../../runtime/capabilities/log.ts';
import { buildCellFiles } from '../../runtime/cells/build.ts';
import { Instance, type InstanceExit } from '../../runtime/cells/instance.ts';
import { type JailOptions, probeJail } from '../../runtime/cells/jail/probe-jail.ts';
import { CellPool, warmCellFiles } from '../../runtime/cells/pool.ts';
import { invokeGuest } from '../../runtime/modules/invoke-guest.ts';
import type { ModuleAnswer } from '../../runtime/modules/served-module.ts';

export interface CellRoom {
  readonly cells: CellPool;
  /** Boots a module whose class body is `body`; its routes are the methods whose names begin with `on`. */
  boot(body: string, options?: BootOptions): Promise<Guest>;
  close(): Promise<void>;
}

export interface BootOptions {
  readonly name?: string;
  readonly memoryMb?: number;
  readonly cpuMs?: number;
  /** Code before the class. */
  readonly before?: string;
  /** A whole module instead of all that: the body counts for nothing. */
  readonly source?: string;
  readonly diagnostics?: boolean;
  /** `settings` of its config.yaml. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Beside `http` and `log`. */
  readonly capabilities?: Readonly<Record<string, Capability>>;
}

export interface Guest {
  readonly instance: Instance;
  readonly violations: readonly string[];
  readonly lines: readonly { readonly level: string; readonly message: string; readonly fields: unknown }[];
  readonly failures: readonly unknown[];
  readonly exit: Promise<InstanceExit>;
  /** Calls the method `onName`. */
  call(name: string, deadlineMs?: number): Promise<ModuleAnswer>;
  /** The JSON that the method `onName` answers. */
  json<Shape = unknown>(name: string, deadlineMs?: number): Promise<Shape>;
}

export async function openCellRoom({
  cells = 1,
  jail: wanted = 'auto' as JailOptions['jail'],
} = {}): Promise<CellRoom> {
  const folder = mkdtempSync(join(tmpdir(), 'plexi-room-'));
  const files = await buildCellFiles(folder);
  await warmCellFiles(files);
  const jail = await (await probeJail({ jail: wanted })).open(files);
  const pool = new CellPool({ files, jail, cells, onNoise: () => {} });
  const egress = createHttpEgress(
    { allowPrivate: new Set(), timeoutMs: 1_000, maxResponseBytes: 1024 },
    { granted: () => [], secret: () => undefined },
  );
  return {
    cells: pool,
    boot: (body, options = {}) => boot(pool, egress.capability, body, options),
    async close() {
      await Promise.all([pool.close(), egress.close()]);
      await jail.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function boot(pool: CellPool, http: Capability, body: string, options: BootOptions): Promise<Guest> {
  const {
    name = 'demo',
    memoryMb = 64,
    cpuMs,
    before = '',
    diagnostics = false,
    settings = {},
    capabilities = {},
  } = options;
  const cell = pool.place({ module: name, jit: 'safe' });
  const violations: string[] = [];
  const failures: unknown[] = [];
  const lines: Guest['lines'][number][] = [];
  const exit = Promise.withResolvers<InstanceExit>();
  const log = createLogCapability({
    write: (_module, level, message, fields) => lines.push({ level, message, fields }),
  });
  const instance = new Instance({
    cell,
    module: name,
    code: Buffer.from(options.source ?? moduleCode(before, body)),
    manifest: Value.Default(ManifestSchema, { module_name: name, module_version: '1.0.0', settings }) as Manifest,
    memoryMb,
    cpuMs,
    diagnostics,
    calls: (session, quota) =>
      createCapabilityTable(
        { http, log, ...capabilities },
        { module: name, session, signal: new AbortController().signal },
        quota,
        (_call, error) => failures.push(error),
      ),
    onViolation: (reason) => violations.push(reason),
    onExit: (how) => {
      exit.resolve(how);
      pool.release(cell, { module: name, inFlight: how.inFlight, lastUsed: how.lastUsed, guilty: how.tookCell });
    },
  });
  await instance.initialize(20_000);
  const call: Guest['call'] = (method, deadlineMs = 10_000) =>
    invokeGuest(
      instance,
      {
        handler: `GET /${method}`,
        method: 'GET',
        url: `http://host.test/${method}`,
        headers: [],
        params: {},
        query: {},
        user: null,
        requestId: 'test',
        deadline: Date.now() + deadlineMs,
      },
      { body: { kind: 'none' }, signal: undefined },
      () => {},
    );
  return {
    instance,
    violations,
    lines,
    failures,
    exit: exit.promise,
    call,
    async json<Shape>(method: string, deadlineMs?: number) {
      const { body: answered } = await call(method, deadlineMs);
      if (answered.kind === 'none') return undefined as Shape;
      const text = answered.kind === 'text' ? answered.text : await new Response(answered.stream).text();
      return JSON.parse(text) as Shape;
    },
  };
}

function moduleCode(before: string, body: string): string {
  return `
    ${before}
    class Hostile extends sdk.BaseModule {
      setupRoutes() {
        for (const key of Object.getOwnPropertyNames(Hostile.prototype)) {
          if (key.startsWith('on')) this.router.get('/' + key.slice(2), (context) => this[key](context));
        }
      }
      ${body}
    }
    return { default: Hostile };`;
}
