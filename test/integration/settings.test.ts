/** Settings in a real host: changed while it runs, told to the module or put in force by another start, kept, found again. */
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ChangedSettings } from '../../runtime/modules/settings-desk.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

/** For tests that start several hosts, on a machine that has other things to do. */
const SEVERAL_HOSTS_MS = 90_000;

let host: TestHost;
let data: string;

beforeEach(() => {
  data = join(realpathSync(tempFolder()), 'data');
});
afterEach(() => host.close());

const config = (version = '1.0.0', days = 'integer'): string => `
module_name: demo
module_version: ${version}
runtime: { instances: 2 }
settings: { city: Bonn }
settings_schema:
  properties:
    city: { type: string, maxLength: 20 }
    days: { type: ${days}, default: 3 }
    api_key: { type: string, writeOnly: true, minLength: 6 }
`;

const code = (hook: string): string => `
import { BaseModule } from '@plexichat/sdk';
const born = Math.random();
const told = [];
export default class Demo extends BaseModule {
  setupRoutes() {
    this.router.get('/now', {}, () => ({ born, told, settings: this.config.settings }));
    this.router.get('/slow', {}, async () => { await new Promise((resolve) => setTimeout(resolve, 1500)); return { born }; });
  }
  ${hook}
}`;

const HOOK = `onSettingsChanged(next, previous) {
  if (next.city === 'nowhere') throw new Error('no such city');
  if (next.city === 'forever') return new Promise(() => {});
  told.push([previous.city, next.city, this.config.settings.city]);
}`;

async function start(hook = HOOK, environment: Readonly<Record<string, string>> = {}, files = {}): Promise<void> {
  host = await startTestHost({
    environment,
    settings: { data },
    files: { 'demo/config.yaml': config(), 'demo/module.js': code(hook), ...files },
  });
}

interface Now {
  readonly born: number;
  readonly told: readonly (readonly string[])[];
  readonly settings: Readonly<Record<string, unknown>>;
}

const now = async () => (await (await host.fetch('/api/v1/demo/now')).json()) as Now;

async function asOperator(init: RequestInit = {}): Promise<Response> {
  const token = await host.token({ sub: 'olga', permissions: ['modules:manage'] });
  return host.fetch('/api/v1/modules/demo/settings', { ...init, token });
}

async function change(values: object): Promise<ChangedSettings> {
  const body = JSON.stringify({ values });
  const response = await asOperator({ method: 'PUT', body, headers: { 'content-type': 'application/json' } });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text);
}

/** What each of the threads says. */
async function everyThread(): Promise<Now[]> {
  const seen = new Map<number, Now>();
  await until(async () => {
    for (const said of await Promise.all([now(), now(), now(), now()])) seen.set(said.born, said);
    return seen.size >= 2;
  });
  return [...seen.values()];
}

it('a module with onSettingsChanged runs on, and every thread of it knows', async () => {
  await start();
  const before = (await everyThread()).map(({ born }) => born).sort();
  const changed = await change({ city: 'Ulm', days: 7 });
  expect(changed).toMatchObject({ effect: 'live', state: 'running', values: { city: 'Ulm', days: 7 } });
  const after = await everyThread();
  expect(after.map(({ born }) => born).sort()).toEqual(before);
  for (const { told, settings } of after) {
    expect(told).toEqual([['Bonn', 'Ulm', 'Ulm']]);
    expect(settings).toMatchObject({ city: 'Ulm', days: 7 });
  }
});

it('a module without it is started anew, and finishes what it does', async () => {
  await start('');
  const { born } = await now();
  const slow = host.fetch('/api/v1/demo/slow').then(async (response) => [response.status, await response.json()]);
  await until(() => host.host.registry.get('demo')?.underWay === 1);
  expect(await change({ city: 'Ulm' })).toMatchObject({ effect: 'replaced', values: { city: 'Ulm' } });
  const after = await now();
  expect(after.settings.city).toBe('Ulm');
  expect(after.born).not.toBe(born);
  expect(await slow).toEqual([200, { born: expect.any(Number) }]);
});

it.each([
  ['throws', 'nowhere', /no such city/],
  ['does not come to an end', 'forever', /changeSettings took longer than 5000 ms/],
])(
  'a module whose hook %s is started anew',
  async (_how, city, why) => {
    await start();
    const { born } = await now();
    expect((await change({ city })).effect).toBe('replaced');
    const after = await now();
    expect([after.settings.city, after.told]).toEqual([city, []]);
    expect(after.born).not.toBe(born);
    expect(host.lines.some(({ level, msg }) => level === 40 && why.test(msg))).toBe(true);
  },
  SEVERAL_HOSTS_MS,
);

it('its log level starts it anew, since the host has a part in it', async () => {
  await start();
  expect((await change({ log_level: 'DEBUG' })).effect).toBe('replaced');
  expect((await now()).settings.log_level).toBe('DEBUG');
});

it('a secret among them goes to the vault, and to the module only as a placeholder', async () => {
  await start();
  expect(await change({ api_key: 'open-sesame' })).toMatchObject({
    effect: 'live',
    values: { api_key: '***' },
    sources: { api_key: 'vault' },
  });
  expect((await now()).settings.api_key).toBe('{{secret.api_key}}');
  expect(JSON.stringify(host.lines)).not.toContain('open-sesame');
});

it('what the environment has is shown as such, and cannot be changed', async () => {
  const CITY = 'PLEXI_MODULE__DEMO__SETTINGS__CITY';
  await start(HOOK, { [CITY]: 'Köln' });
  const body = JSON.stringify({ values: { city: 'Ulm' } });
  const refused = await asOperator({ method: 'PUT', body, headers: { 'content-type': 'application/json' } });
  expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining(CITY)]);
  expect(await (await asOperator()).json()).toMatchObject({
    values: { city: 'Köln' },
    sources: { city: 'environment' },
    overridden: { city: CITY },
  });
  expect((await now()).settings.city).toBe('Köln');
});

it(
  'are there after a restart, carry over to the next version as far as they fit, and are found again',
  async () => {
    await start();
    await change({ city: 'Ulm', days: 7 });
    await host.close();
    await start();
    expect((await now()).settings).toMatchObject({ city: 'Ulm', days: 7 });
    await host.close();
    await start(HOOK, {}, { 'demo/config.yaml': config('1.1.0', 'boolean').replace('default: 3', 'default: true') });
    expect((await now()).settings).toMatchObject({ city: 'Ulm', days: true });
    expect(
      host.lines.some(({ msg }) => msg.includes('The setting days of an operator does not fit version 1.1.0')),
    ).toBe(true);
    await change({ city: 'Köln' });
    await host.close();
    await start();
    expect((await now()).settings).toMatchObject({ city: 'Ulm', days: 7 });
  },
  SEVERAL_HOSTS_MS,
);

it('a thread that starts later starts with them', async () => {
  await start();
  await now();
  await change({ city: 'Ulm' });
  for (const module of host.host.registry.list()) {
    if ('instances' in module) {
      for (const thread of module.instances as Set<{ terminate(reason: string, detail: string): void }>) {
        thread.terminate('memory', 'the test says so');
      }
    }
  }
  await until(async () => {
    const response = await host.fetch('/api/v1/demo/now');
    return response.status === 200 && ((await response.json()) as Now).told.length === 0;
  });
  expect((await now()).settings.city).toBe('Ulm');
});

it('a module that cannot start with them says why, and another change brings it back', async () => {
  await start(`validateConfig() { if (this.config.settings.city === 'nowhere') throw new Error('no such city'); }`);
  await now();
  await change({ city: 'nowhere' });
  await until(async () => /no such city/.test(await describe()));
  expect(await change({ city: null })).toMatchObject({ effect: 'replaced', values: { city: 'Bonn' } });
  expect((await now()).settings.city).toBe('Bonn');

  async function describe(): Promise<string> {
    const token = await host.token({ permissions: ['modules:read'] });
    return (await host.fetch('/api/v1/modules/demo', { token })).text();
  }
});

it('a config.yaml that was changed meanwhile is read with them', async () => {
  const folder = join(realpathSync(tempFolder()), 'demo');
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.yaml'), config());
  writeFileSync(join(folder, 'module.js'), code(HOOK));
  host = await startTestHost({ settings: { data, modules: dirname(folder) } });
  await now();
  writeFileSync(join(folder, 'config.yaml'), config('1.0.1'));
  expect(await change({ city: 'Ulm' })).toMatchObject({ effect: 'replaced', version: '1.0.1' });
  expect((await now()).settings.city).toBe('Ulm');
});
