/** Grants, denials and what comes of them, in a real host with real modules. */
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { startTestHost, type TestHost, type TestHostOptions } from '../support/test-host.ts';
import { until } from '../support/until.ts';

interface ModuleView {
  readonly state: string;
  readonly version: string;
  readonly reasons: readonly string[];
  readonly permissions: {
    readonly asked: readonly { permission: string; granted: boolean }[];
    readonly granted: readonly { permission: string; source: string; granted_by: string | null; uses: number }[];
    readonly unused: readonly string[];
    readonly waits_for: readonly string[];
  };
}
interface EventView {
  readonly module: string;
  readonly kind: string;
  readonly name: string;
  readonly details: string;
  readonly count: number;
}

/** For tests that start three hosts, on a machine that has other things to do. */
const SEVERAL_HOSTS_MS = 90_000;

let upstream: Server;
let port: number;
let host: TestHost;

beforeAll(async () => {
  upstream = createServer((_request, response) => response.end('hello'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  port = (upstream.address() as AddressInfo).port;
});
afterEach(() => host.close());
afterAll(() => void upstream.close());

const CODE = `
  import { BaseModule, logSecurityEvent, PermissionDeniedError } from '@plexichat/sdk';
  const told = (error) => ({ code: error.code, permission: error.permission, isDenied: error instanceof PermissionDeniedError, message: error.message });
  export default class Demo extends BaseModule {
    setupRoutes() {
      this.router.get('/fetch', {}, async ({ query }) => {
        try { return { text: await (await this.http.fetch(query.url)).text() }; } catch (error) { return told(error); }
      });
      this.router.get('/tier', {}, async () => {
        try { return { tier: await this.getUserTier('alice') }; } catch (error) { return told(error); }
      });
      this.router.get('/report', {}, async () => { await logSecurityEvent('login.failed', { userId: 'alice' }); return {}; });
    }
  }`;

const asks = (more: string, version = '1.0.0', name = 'demo') => ({
  [`${name}/config.yaml`]: `module_name: ${name}\nmodule_version: ${version}\n${more}\n`,
  [`${name}/module.js`]: CODE,
});

async function start(files: Readonly<Record<string, string>>, options: TestHostOptions = {}): Promise<void> {
  host = await startTestHost({ files, config: `egress: { allow_private: ["localhost:${port}"] }`, ...options });
}

async function asOperator<Shape>(path: string, init: RequestInit = {}): Promise<Shape> {
  const token = await host.token({ sub: 'olga', permissions: ['modules:manage'] });
  const response = await host.fetch(path, { ...init, token });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as Shape;
}
const view = (name = 'demo') => asOperator<ModuleView>(`/api/v1/modules/${name}`);
const change = (body: object, name = 'demo') =>
  asOperator<ModuleView>(`/api/v1/modules/${name}/grant`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
const events = async (module = 'demo') =>
  (await asOperator<{ events: EventView[] }>(`/api/v1/security-events?module=${module}`)).events;
const ask = async (path: string, name = 'demo') => (await host.fetch(`/api/v1/${name}${path}`)).json();

it('a module that waits is granted and served, without a restart; whoever needed it too', async () => {
  await start({
    ...asks(`required_permissions: ["http:localhost:${port}"]`),
    ...asks('dependencies: [demo]', '1.0.0', 'second'),
    ...asks('dependencies: [second]', '1.0.0', 'third'),
    ...asks('required_permissions: [database]\ndependencies: [demo]', '1.0.0', 'other'),
  });
  const before = await view();
  expect([before.state, before.permissions.waits_for]).toEqual(['installed', [`http:localhost:${port}`]]);
  expect((await host.fetch('/api/v1/demo/tier')).status).toBe(503);
  const after = await change({ permissions: [`http:localhost:${port}`] });
  expect(after.permissions.granted).toMatchObject([{ source: 'operator', granted_by: 'olga' }]);
  await until(async () => (await view()).state === 'running');
  expect(await ask(`/fetch?url=http://localhost:${port}/`)).toEqual({ text: 'hello' });
  await until(async () => ['sleeping', 'starting', 'running'].includes((await view('third')).state));
  expect((await view('other')).state).toBe('installed');
  expect(await ask('/tier', 'third')).toMatchObject({ code: 'PERMISSION_DENIED' });
});

it('what is denied is a typed error that names the permission, and a security event', async () => {
  await start(asks('optional_permissions: ["users:read"]'));
  expect(await ask('/tier')).toEqual({
    code: 'PERMISSION_DENIED',
    permission: 'users:read',
    isDenied: true,
    message: 'Looking up users needs the permission users:read.',
  });
  expect(await ask('/fetch?url=http://evil.example.com/')).toMatchObject({ code: 'EGRESS_DENIED' });
  await ask('/report');
  expect((await events()).map(({ kind, name, details }) => [kind, name, details])).toEqual([
    ['reported', 'login.failed', '{"userId":"alice"}'],
    ['egress_denied', 'http', 'The module may not go there: it needs the permission http:evil.example.com.'],
    ['permission_denied', 'users:read', 'Looking up users'],
  ]);
  expect(host.lines.filter(({ security }) => security === true)).toHaveLength(3);
});

it('a granted host with a private address is denied, and that is a security event', async () => {
  await start(asks(`required_permissions: ["http:localhost:${port}"]`), {
    config: `grants: { demo: ["http:localhost:${port}"] }`,
  });
  expect(await ask(`/fetch?url=http://localhost:${port}/`)).toMatchObject({ code: 'EGRESS_DENIED' });
  expect(await events()).toMatchObject([{ kind: 'egress_denied' }]);
});

it('what is granted counts at the next call, and what is taken back too', async () => {
  await start(asks('optional_permissions: ["users:read"]'));
  expect(await ask('/tier')).toMatchObject({ code: 'PERMISSION_DENIED' });
  await change({ permissions: ['users:read'] });
  expect(await ask('/tier')).toEqual({ tier: null });
  expect((await view()).permissions).toMatchObject({ unused: [], granted: [{ uses: 1 }] });
  const after = await change({ revoke: ['users:read'] });
  expect(after.permissions.granted).toEqual([]);
  expect(await ask('/tier')).toMatchObject({ code: 'PERMISSION_DENIED' });
});

it(
  'grants and their uses survive the host; a version that asks for more waits for that alone',
  async () => {
    const folder = realpathSync(tempFolder());
    const write = (files: Readonly<Record<string, string>>) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, 'modules', path)), { recursive: true });
        writeFileSync(join(folder, 'modules', path), text);
      }
    };
    write(asks('required_permissions: ["users:read"]'));
    const settings = { modules: join(folder, 'modules'), data: join(folder, 'data') };
    await start({}, { settings });
    await change({ permissions: ['users:read'] });
    await ask('/tier');
    await host.close();
    await start({}, { settings });
    expect(await ask('/tier')).toEqual({ tier: null });
    expect((await view()).permissions.granted).toMatchObject([{ granted_by: 'olga', uses: 2 }]);
    await host.close();
    write(asks('required_permissions: ["users:read", "database"]', '2.0.0'));
    await start({}, { settings });
    const waiting = await view();
    expect([waiting.state, waiting.version, waiting.permissions.waits_for]).toEqual([
      'installed',
      '2.0.0',
      ['database'],
    ]);
    await change({ permissions: ['database'] });
    await until(async () => (await view()).state === 'running');
    expect(await ask('/tier')).toEqual({ tier: null });
  },
  SEVERAL_HOSTS_MS,
);

it('while it is learnt, a module has nothing of what it was granted', async () => {
  await start(
    {
      'demo/config.yaml': 'module_name: demo\nmodule_version: 1.0.0\nrequired_permissions: ["users:read"]\n',
      'demo/module.js': `
        import { BaseModule, getUserTier } from '@plexichat/sdk';
        export default class Demo extends BaseModule {
          constructor() { super(); this.early = getUserTier('alice').then((tier) => ({ tier }), (error) => ({ code: error.code })); }
          setupRoutes() { this.router.get('/early', {}, () => this.early); }
        }`,
    },
    { config: 'grants: { demo: ["users:read"] }' },
  );
  // The learner was refused, the module that serves was not.
  expect(await ask('/early')).toEqual({ tier: null });
  expect((await events()).every(({ kind }) => kind === 'permission_denied')).toBe(true);
});
