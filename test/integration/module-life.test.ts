/** Modules come as packages, take each other's place, and go: in a real host. */
import { afterEach, expect, it } from 'vitest';
import { PACKAGE_BOUNDS } from '../../runtime/packages/package-bounds.ts';
import { type LifeRoom, openLifeRoom } from '../support/life-room.ts';
import { newPublisher, packModule } from '../support/packages.ts';
import { startSteadyClient } from '../support/steady-client.ts';
import { until } from '../support/until.ts';

const TIMEOUT_MS = 90_000;

let room: LifeRoom;
afterEach(() => room.close());

const words = ({ body }: { body: { errors?: readonly { message: string }[]; detail?: string } }): string =>
  [body.detail, ...(body.errors ?? []).map(({ message }) => message)].join(' ');

it('nothing but a package of an operator gets in, and what is wrong with it is said', async () => {
  room = await openLifeRoom();
  const post = async (body: string | Buffer<ArrayBuffer>, type: string, permissions: readonly string[]) => {
    const token = await room.host.token({ permissions });
    const response = await room.host.fetch('/api/v1/modules', {
      method: 'POST',
      token,
      body,
      headers: { 'content-type': type },
    });
    return [response.status, ((await response.json()) as { code: string }).code];
  };
  const good = Buffer.from(packModule({ version: '1.0.0' }));
  expect(await post(good, 'application/zip', ['read'])).toEqual([403, 'FORBIDDEN']);
  expect(await post(good, 'application/zip', ['modules:read'])).toEqual([403, 'FORBIDDEN']);
  expect(await post('{}', 'application/json', ['modules:manage'])).toEqual([415, 'MALFORMED_BODY']);
  expect(await post('PK nonsense', 'application/zip', ['modules:manage'])).toEqual([422, 'INVALID_INPUT']);
  expect(await post(good.subarray(0, 200), 'application/zip', ['modules:manage'])).toEqual([422, 'INVALID_INPUT']);
  const huge = Buffer.alloc(PACKAGE_BOUNDS.zipBytes + 1);
  expect(await post(huge, 'application/zip', ['modules:manage'])).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  expect(await post(good, 'application/zip', ['modules:manage'])).toEqual([201, undefined]);
  expect((await room.ask('POST', '/demo/rollback', { version: '7.0.0' })).status).toBe(422);
  expect((await room.ask('POST', '/demo/rollback', { version: '1.0.0', more: 1 })).status).toBe(422);
  expect((await room.ask('POST', '/demo/stop?now=true')).status).toBe(422);
  expect((await room.ask('PUT', '/demo/enable')).status).toBe(405);
});

it('a package is installed, waits for what it asks for, is granted that, and serves', async () => {
  room = await openLifeRoom();
  const installed = await room.install({ version: '1.0.0', config: 'required_permissions: [database]' });
  expect([installed.status, installed.body]).toMatchObject([
    201,
    { outcome: 'installed', state: 'installed', permissions: { waits_for: ['database'] } },
  ]);
  expect(await room.served()).toBe(503);
  await room.grant(['database']);
  expect(await room.served()).toBe('1.0.0');
});

it(
  'an upgrade under steady load fails no request, and both versions answer on the way',
  async () => {
    room = await openLifeRoom();
    await room.install({ version: '1.0.0', config: 'auto_load: true' });
    await until(async () => (await room.served()) === '1.0.0');
    const seen = new Set<string | number>();
    const client = startSteadyClient({
      atOnce: 8,
      async ask() {
        const version = await room.served();
        seen.add(version);
        return typeof version === 'string' ? undefined : `status ${version}`;
      },
    });
    await until(() => client.answered > 50);
    expect((await room.install({ version: '1.1.0' })).body).toMatchObject({ outcome: 'upgraded', version: '1.1.0' });
    await until(() => seen.has('1.1.0'));
    expect((await room.ask('POST', '/demo/rollback', { version: '1.0.0' })).body).toMatchObject({ version: '1.0.0' });
    await room.install({ version: '1.2.0', config: 'runtime: { instances: 2 }' });
    await until(() => seen.has('1.2.0'));
    const before = client.answered;
    await until(() => client.answered > before + 50);
    await client.stop();
    const { wrong, refused } = client.take();
    expect([wrong, refused, [...seen].sort()]).toEqual([[], 0, ['1.0.0', '1.1.0', '1.2.0']]);
  },
  TIMEOUT_MS,
);

it(
  'a version that does not boot takes nothing over, and may be mended under its own number',
  async () => {
    room = await openLifeRoom();
    await room.install({ version: '1.0.0' });
    for (const body of ['async initialize() { throw new Error("no luck"); }', 'syntax error here']) {
      const failed = await room.install({ version: '2.0.0', body });
      expect([failed.status, failed.body.code]).toEqual([422, 'INVALID_INPUT']);
      expect(words(failed)).toMatch(/2\.0\.0 does not take over, and 1\.0\.0 goes on/);
      expect(await room.served()).toBe('1.0.0');
    }
    expect((await room.install({ version: '2.0.0' })).body).toMatchObject({ outcome: 'upgraded', version: '2.0.0' });
    expect(await room.served()).toBe('2.0.0');
    const other = await room.install({ version: '2.0.0', routes: '/* other bytes */' });
    expect(other.status).toBe(422);
    expect((await room.install({ version: '2.0.0' })).body).toMatchObject({ outcome: 'unchanged' });
    expect(words(await room.install({ version: '1.5.0' }))).toMatch(/roll back/);
  },
  TIMEOUT_MS,
);

it(
  'a version that crashes on trial is rolled back by itself, with the reason',
  async () => {
    room = await openLifeRoom();
    const routes =
      "this.router.get('/crash', {}, async () => { for (const all = []; ; ) all.push(new Array(1e5).fill(0)); });";
    await room.install({ version: '1.0.0' });
    await room.install({ version: '2.0.0', routes, config: 'runtime: { memory_mb: 32 }' });
    expect(await room.served()).toBe('2.0.0');
    await until(async () => {
      await room.host.fetch('/api/v1/demo/crash', { token: null }).then((response) => response.text());
      return (await room.view()).version === '1.0.0';
    }, 60_000);
    expect(await room.served()).toBe('1.0.0');
    const { state, reasons } = await room.view();
    expect(state).toBe('running');
    expect(reasons.join(' ')).toMatch(/2\.0\.0 was rolled back to 1\.0\.0: it crashed 3 times on trial/);
    await until(() => room.host.lines.some(({ msg, audit }) => audit === true && /rolled back/.test(msg)));
  },
  TIMEOUT_MS,
);

it(
  'a version that asks for more waits while the old one serves, and goes on once it is granted',
  async () => {
    room = await openLifeRoom();
    await room.install({ version: '1.0.0' });
    const pending = await room.install({ version: '2.0.0', config: 'required_permissions: [database]' });
    expect(pending.body).toMatchObject({
      outcome: 'pending',
      version: '1.0.0',
      state: 'upgrade_pending',
      permissions: { waits_for: ['database'] },
    });
    expect(pending.body.reasons.join(' ')).toMatch(/2\.0\.0 waits for what it asks for: database/);
    expect(await room.served()).toBe('1.0.0');
    expect((await room.view()).state).toBe('upgrade_pending');
    expect((await room.ask('POST', '/demo/restart')).body).toMatchObject({
      state: 'upgrade_pending',
      version: '1.0.0',
    });
    const { body } = await room.ask('GET', '/demo/versions');
    expect(body).toMatchObject({
      versions: [
        { version: '2.0.0', role: 'waits' },
        { version: '1.0.0', role: 'in_force' },
      ],
    });
    expect((await room.grant(['database'])).body).toMatchObject({ version: '2.0.0', state: 'running' });
    expect(await room.served()).toBe('2.0.0');
    expect((await room.ask('POST', '/demo/rollback', { version: '1.0.0' })).body).toMatchObject({ version: '1.0.0' });
    // What it was granted is granted still.
    expect((await room.ask('POST', '/demo/rollback', { version: '2.0.0' })).body).toMatchObject({
      outcome: 'upgraded',
      version: '2.0.0',
    });
  },
  TIMEOUT_MS,
);

it(
  'operators switch modules off and on, stop and start them; those that others need stay',
  async () => {
    room = await openLifeRoom({
      files: {
        'base/config.yaml': 'module_name: base\nmodule_version: 1.0.0\nsecurity: { require_authentication: false }\n',
        'base/module.js': `import { BaseModule } from '@plexichat/sdk';
          export default class Base extends BaseModule {
            setupRoutes() { this.router.get('/version', {}, async () => ({ version: 'folder' })); }
          }`,
      },
    });
    const state = async (path: string) => (await room.ask('POST', path)).body.state;
    expect((await room.install({ version: '1.0.0', config: 'dependencies: [base]' })).status).toBe(201);
    expect(words(await room.ask('POST', '/base/disable'))).toMatch(/demo cannot do without it/);
    expect(await state('/demo/stop')).toBe('stopped');
    expect(await room.served()).toBe(503);
    expect(await state('/demo/start')).toBe('running');
    expect(await state('/demo/restart')).toBe('running');
    expect(await state('/demo/disable')).toBe('disabled');
    expect(words(await room.ask('POST', '/demo/start'))).toMatch(/enable it first/);
    expect(await state('/base/disable')).toBe('disabled');
    expect(await room.served('base')).toBe(503);
    expect(await state('/demo/enable')).toBe('failed');
    expect(await state('/base/enable')).not.toBe('disabled');
    await until(async () => (await room.served()) === '1.0.0');
    expect(await room.served('base')).toBe('folder');
    expect(words(await room.ask('DELETE', '/base'))).toMatch(/folder of modules/);
    expect(words(await room.install({ name: 'base', version: '9.0.0' }))).toMatch(/has a module base already/);
    expect((await room.ask('POST', '/nobody/start')).status).toBe(404);
    expect((await room.ask('DELETE', '/nobody')).status).toBe(404);
  },
  TIMEOUT_MS,
);

const STORES = `
  this.router.get('/keep', {}, async () => { await this.storage.set('note', 'kept'); return {}; });
  this.router.get('/kept', {}, async () => ({ version: await this.storage.get('note') ?? 'nothing' }));`;

it(
  'a removed module leaves its data to the same publisher for a while, and to nobody once it is purged',
  async () => {
    room = await openLifeRoom();
    const [mine, other] = [newPublisher(), newPublisher()];
    const kept = async () => {
      const response = await room.host.fetch('/api/v1/demo/kept', { token: null });
      return ((await response.json()) as { version: string }).version;
    };
    const pack = { version: '1.0.0', routes: STORES, config: 'required_permissions: [database]', key: mine };
    await room.install(pack);
    await room.grant(['database']);
    await room.host.fetch('/api/v1/demo/keep', { token: null });
    expect(await kept()).toBe('kept');
    expect(words(await room.install({ ...pack, version: '1.1.0', key: other }))).toMatch(/signed by/);
    const removed = await room.ask('DELETE', '/demo');
    expect(removed.body).toMatchObject({ name: 'demo', state: 'removed' });
    expect([await room.served(), (await room.ask('GET', '/demo')).status]).toEqual([404, 404]);
    expect((await room.install({ ...pack, key: other })).status).toBe(422);
    expect((await room.install({ ...pack, version: '1.0.1' })).body).toMatchObject({
      outcome: 'installed',
      permissions: { waits_for: [] },
    });
    expect(await kept()).toBe('kept');
    expect((await room.ask('DELETE', '/demo?purge=true')).body).toMatchObject({ data_kept_until: null });
    expect((await room.install({ ...pack, key: other })).body).toMatchObject({
      state: 'installed',
      permissions: { waits_for: ['database'] },
    });
    await room.grant(['database']);
    expect(await kept()).toBe('nothing');
  },
  TIMEOUT_MS,
);

it(
  'what an unsigned module left is nobody’s until it is purged',
  async () => {
    room = await openLifeRoom();
    const pack = { version: '1.0.0', routes: STORES, config: 'required_permissions: [database]' };
    await room.install(pack);
    await room.grant(['database']);
    await room.host.fetch('/api/v1/demo/keep', { token: null });
    await room.ask('DELETE', '/demo');
    for (const other of [pack, { ...pack, version: '2.0.0' }, { ...pack, version: '2.0.0', key: newPublisher() }]) {
      const refused = await room.install(other);
      expect([refused.status, words(refused)]).toEqual([422, expect.stringMatching(/nobody signed is kept: purge it/)]);
    }
    expect(await room.served()).toBe(404);
    await room.ask('DELETE', '/demo?purge=true');
    expect((await room.install(pack)).body).toMatchObject({
      state: 'installed',
      permissions: { waits_for: ['database'] },
    });
  },
  TIMEOUT_MS,
);

it(
  'a package takes no path from a module that is there, in whatever state that is',
  async () => {
    room = await openLifeRoom();
    await room.install({ version: '1.0.0' });
    const evil = (prefix: string) =>
      room.install({ name: 'evil', version: '6.6.6', config: `api: { prefix: ${prefix} }\npriority: 0` });
    const refusals = async () => {
      for (const prefix of ['/api/v1/demo', '/api/v1/demo/version']) {
        const refused = await evil(prefix);
        expect([refused.status, words(refused)]).toEqual([
          422,
          expect.stringMatching(/evil .* demo: give the package/),
        ]);
      }
      expect((await room.ask('GET', '/evil')).status).toBe(404);
    };
    await refusals();
    expect(await room.served()).toBe('1.0.0');
    await room.ask('POST', '/demo/disable');
    await refusals();
    await room.ask('POST', '/demo/enable');
    await until(async () => (await room.served()) === '1.0.0');
    expect((await evil('/api/v1/evil')).status).toBe(201);
    const later = { name: 'evil', version: '6.6.7', config: 'api: { prefix: /api/v1/demo }' };
    expect(words(await room.install(later))).toMatch(/taken by demo/);
    expect([await room.served(), await room.served('evil')]).toEqual(['1.0.0', '6.6.6']);
  },
  TIMEOUT_MS,
);

it(
  'no thread of a version whose place was taken outlives the module, and uses what the next of its name was granted',
  async () => {
    room = await openLifeRoom();
    const pack = { version: '1.0.0', routes: STORES, config: 'required_permissions: [database]' };
    const body = `async initialize() {
      setInterval(() => this.storage.set('note', 'of the first').catch(() => {}), 20);
    }`;
    const kept = async () => {
      const response = await room.host.fetch('/api/v1/demo/kept', { token: null });
      return ((await response.json()) as { version: string }).version;
    };
    await room.install({ ...pack, body, key: newPublisher() });
    await room.grant(['database']);
    await until(async () => (await kept()) === 'of the first');
    const [mine, other] = [newPublisher(), newPublisher()];
    await room.ask('DELETE', '/demo?purge=true');
    await room.install({ ...pack, body, key: mine });
    await room.grant(['database']);
    await until(async () => (await kept()) === 'of the first');
    expect((await room.install({ ...pack, version: '1.1.0', key: mine })).body).toMatchObject({ outcome: 'upgraded' });
    await room.ask('DELETE', '/demo?purge=true');
    await room.install({ ...pack, key: other });
    await room.grant(['database']);
    for (let read = 0; read < 50; read++) expect(await kept()).toBe('nothing');
  },
  TIMEOUT_MS,
);

it(
  'runs that wait for a module go with it when it is purged, and nobody else of its name does them',
  async () => {
    room = await openLifeRoom();
    const pack = {
      body: '@moduleTask({ schedule: false }) async work() {}',
      routes:
        "this.router.get('/later', {}, async () => this.tasks.enqueue('work', { secret: 'of the first' }, { delay: 3600 }));",
    };
    await room.install({ version: '1.0.0', ...pack });
    // The embedded queue starts with the first module that has tasks, and a busy machine takes its time.
    await until(async () => (await room.host.fetch('/api/v1/demo/later', { token: null })).ok, 60_000);
    const token = await room.host.token({ permissions: ['modules:manage'] });
    const runs = async () => (await room.host.fetch('/api/v1/tasks/demo/work/runs', { token })).text();
    await until(async () => (await runs()).includes('delayed'));
    expect((await room.ask('DELETE', '/demo?purge=true')).status).toBe(200);
    await room.install({ version: '1.0.0', ...pack });
    await until(async () => (await room.served()) === '1.0.0');
    expect(JSON.parse(await runs())).toMatchObject({ runs: [] });
  },
  TIMEOUT_MS,
);

it(
  'a version whose tables cannot go back is not rolled back, and says why',
  async () => {
    room = await openLifeRoom();
    const table = (name: string) => `{ name: ${name}, columns: [{ name: id, type: integer, primary_key: true }] }`;
    const config = (...tables: string[]) =>
      `database: { enabled: true, tables: [${tables.map(table).join(', ')}] }\nrequired_permissions: [database]`;
    await room.install({ version: '1.0.0', config: config('notes') });
    await room.grant(['database']);
    expect(await room.served()).toBe('1.0.0');
    expect((await room.install({ version: '2.0.0', config: config('notes', 'tags') })).body).toMatchObject({
      version: '2.0.0',
    });
    const refused = await room.ask('POST', '/demo/rollback', { version: '1.0.0' });
    expect(refused.status).toBe(422);
    expect(words(refused)).toMatch(/the table tags is not declared any more/);
    expect(await room.served()).toBe('2.0.0');
  },
  TIMEOUT_MS,
);
