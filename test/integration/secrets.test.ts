/** Secrets in a real host: set while it runs, used in requests, and found nowhere else. */
import { readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const FIRST = 'open-sesame-4711';
const SECOND = 'swordfish-0815';

/** For tests that start three hosts, on a machine that has other things to do. */
const SEVERAL_HOSTS_MS = 90_000;

let upstream: Server;
let port: number;
let seen: string[];
let host: TestHost;
/** The data folder of the host that runs. */
let data: string;
/** Every answer of the host, as text. */
let answers: string[];
let earlier: string[];

beforeAll(async () => {
  upstream = createServer((request, response) => {
    seen.push(String(request.headers['x-key']));
    response.end('ok');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  port = (upstream.address() as AddressInfo).port;
});
beforeEach(() => {
  [seen, answers, earlier] = [[], [], []];
  data = join(realpathSync(tempFolder()), 'data');
});
afterEach(() => host.close());
afterAll(() => void upstream.close());

function files(): Record<string, string> {
  return {
    'demo/config.yaml': `
module_name: demo
module_version: 1.0.0
required_permissions: ["http:localhost:${port}"]
settings_schema:
  required: [api_key]
  properties:
    api_key: { type: string, writeOnly: true, minLength: 6 }
    colour: { type: string, default: green }
`,
    'demo/module.js': `
import { BaseModule } from '@plexichat/sdk';
let count = 0;
export default class Demo extends BaseModule {
  setupRoutes() {
    this.router.get('/go', {}, async () => {
      const key = this.config.settings.api_key;
      if (key === undefined) return { unset: true, count: ++count };
      await (await this.http.fetch('http://localhost:${port}/', { headers: { 'x-key': key } })).text();
      return { key, settings: this.config.settings, count: ++count };
    });
    this.router.get('/seek', {}, async () => {
      const found = [];
      const walk = (value, path, depth) => {
        if (typeof value === 'string') found.push(value);
        else if (value !== null && typeof value === 'object' && depth < 5) {
          for (const name of Reflect.ownKeys(value)) { try { walk(value[name], path + String(name), depth + 1); } catch {} }
        }
      };
      walk(this, '', 0); walk(globalThis, '', 0);
      let refused;
      try { await this.http.fetch('http://localhost:${port}/{{secret.nope}}'); } catch (error) { refused = error.message; }
      return { found: found.slice(0, 5000), refused };
    });
  }
}`,
  };
}

async function start(environment: Readonly<Record<string, string>> = {}, modules = files()): Promise<void> {
  host = await startTestHost({
    environment,
    settings: { data },
    files: modules,
    config: `grants: { demo: ["http:localhost:${port}"] }\negress: { allow_private: ["localhost:${port}"] }`,
  });
}

async function call(
  path: string,
  init: RequestInit & { token?: string } = {},
): Promise<{ status: number; text: string }> {
  const response = await host.fetch(path, init);
  const text = await response.text();
  answers.push(text, JSON.stringify([...response.headers]));
  return { status: response.status, text };
}
const asOperator = async (path: string, init: RequestInit = {}) =>
  call(path, { ...init, token: await host.token({ sub: 'olga', permissions: ['modules:manage'] }) });
const put = (value: unknown) =>
  asOperator('/api/v1/modules/demo/secrets/api_key', {
    method: 'PUT',
    body: JSON.stringify({ value }),
    headers: { 'content-type': 'application/json' },
  });
const go = async () =>
  JSON.parse((await call('/api/v1/demo/go')).text) as { key?: string; unset?: true; count: number };

function expectNowhere(...values: string[]): void {
  const log = JSON.stringify([host.lines, earlier]);
  const disk = filesBelow(data).map((file) => readFileSync(file, 'latin1'));
  for (const value of values) {
    for (const written of [
      value,
      Buffer.from(value).toString('base64').slice(0, -4),
      Buffer.from(value).toString('hex'),
    ]) {
      expect(log).not.toContain(written);
      expect(answers.join('\n')).not.toContain(written);
      expect(disk.some((text) => text.includes(written))).toBe(false);
    }
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

it('a secret that is set while the host runs is used at once, changed in place, and found nowhere', async () => {
  await start();
  expect(await go()).toEqual({ unset: true, count: 1 });
  expect((await put(FIRST)).status).toBe(200);
  await until(async () => (await go()).key !== undefined);
  const first = await go();
  expect([first.key, seen.at(-1)]).toEqual(['{{secret.api_key}}', FIRST]);
  expect((await put(SECOND)).status).toBe(200);
  const second = await go();
  // The same thread as before: nothing had to be started again for another value.
  expect([seen.at(-1), second.count]).toEqual([SECOND, first.count + 1]);
  expect((await call('/api/v1/demo/seek')).text).toContain('There is no secret setting');
  await asOperator('/api/v1/modules');
  await asOperator('/api/v1/modules/demo');
  await asOperator('/api/v1/modules/demo/secrets');
  await asOperator('/api/v1/security-events');
  expect((await put('short')).status).toBe(422);
  expectNowhere(FIRST, SECOND);
  expect(answers.join()).not.toContain('"short"');
  expect(host.lines.filter(({ audit }) => audit === true)).toMatchObject([
    { action: 'secret.set', operator: 'olga', module: 'demo', setting: 'api_key', outcome: 'done' },
    { action: 'secret.set', outcome: 'done' },
    { action: 'secret.set', outcome: 'INVALID_INPUT' },
  ]);
});

it('a secret that is changed while its module is being loaded again is the one that counts', async () => {
  await start();
  // The first one is new to the module, which is loaded again; the second comes while that is under way.
  const first = put(FIRST);
  await until(async () => (await asOperator('/api/v1/modules/demo/secrets')).text.includes('"source":"vault"'));
  const second = put(SECOND);
  expect([(await first).status, (await second).status]).toEqual([200, 200]);
  await until(async () => (await go()).key !== undefined);
  for (let count = 0; count < 10; count++) await go();
  expect(new Set(seen.slice(-10))).toEqual(new Set([SECOND]));
});

it(
  'a secret survives the host and a rotation; without its key the module says so and does not run',
  async () => {
    await start();
    await put(FIRST);
    expect((await asOperator('/api/v1/secrets/rotate', { method: 'POST' })).text).toBe('{"sealed":1}');
    await host.close();
    earlier.push(...host.lines.map((line) => JSON.stringify(line)));
    await start();
    await go();
    expect(seen.at(-1)).toBe(FIRST);
    expectNowhere(FIRST);
    await host.close();
    const key = join(data, 'vault.key');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    writeFileSync(key, 'ab'.repeat(32));
    await start();
    const { text } = await asOperator('/api/v1/modules/demo');
    expect(JSON.parse(text)).toMatchObject({
      state: 'failed',
      reasons: [
        expect.stringMatching(
          /^The secret setting api_key of demo cannot be opened: the key [0-9a-f]{16} .* is not here/,
        ),
      ],
    });
    await put(SECOND);
    await until(async () => (await call('/api/v1/demo/go')).status === 200);
    expect(seen.at(-1)).toBe(SECOND);
    expectNowhere(FIRST, SECOND);
  },
  SEVERAL_HOSTS_MS,
);

it(
  'a key of the environment is used, and what it sealed is sealed anew by the next one',
  async () => {
    const [first, second] = ['ab'.repeat(32), 'cd'.repeat(32)];
    await start({ PLEXI_VAULT_KEY: first });
    await put(FIRST);
    await host.close();
    await start({ PLEXI_VAULT_KEY: second, PLEXI_VAULT_KEY_OLD: first });
    await host.close();
    await start({ PLEXI_VAULT_KEY: second });
    await go();
    expect(seen).toEqual([FIRST]);
    expect(filesBelow(data).some((file) => file.endsWith('vault.key'))).toBe(false);
    expectNowhere(FIRST, first, second);
  },
  SEVERAL_HOSTS_MS,
);

it(
  'a secret of a module that is not there any more is told of at the start, shown without its value, and can be removed',
  async () => {
    await start();
    await put(FIRST);
    await host.close();
    await start({}, {});
    const told = host.lines.find(({ module, msg }) => module === 'demo' && msg.includes('its secrets are kept'));
    expect(told).toMatchObject({ level: 40, secrets: 1 });
    const { secrets } = JSON.parse((await asOperator('/api/v1/modules/demo/secrets')).text);
    expect(secrets).toEqual([expect.objectContaining({ setting: 'api_key', value: '***', source: 'vault' })]);
    const one = '/api/v1/modules/demo/secrets/api_key';
    expect((await asOperator(one, { method: 'DELETE' })).status).toBe(204);
    expect((await asOperator('/api/v1/modules/demo/secrets')).status).toBe(404);
    expectNowhere(FIRST);
  },
  SEVERAL_HOSTS_MS,
);

it('the environment of a module wins over the vault, and removing uncovers what was below', async () => {
  await start({ PLEXI_MODULE__DEMO__SETTINGS__API_KEY: 'from-environment' });
  await put(FIRST);
  await go();
  expect(seen.at(-1)).toBe('from-environment');
  const removed = await asOperator('/api/v1/modules/demo/secrets/api_key', { method: 'DELETE' });
  expect(removed.status).toBe(204);
  await go();
  expect(seen.at(-1)).toBe('from-environment');
  expectNowhere(FIRST, 'from-environment');
});
