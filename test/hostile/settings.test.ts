/** Modules that make trouble when their settings are changed: the operator gets an answer, the neighbours stay well. */
import { afterEach, expect, it } from 'vitest';
import type { ChangedSettings } from '../../runtime/modules/settings-desk.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const PATIENCE_MS = 120_000;

let host: TestHost;
afterEach(() => host.close());

const CONFIG = `
module_name: evil
module_version: 1.0.0
settings: { city: Bonn }
settings_schema:
  properties:
    city: { type: string }
    api_key: { type: string, writeOnly: true }
`;

async function start(body: string): Promise<void> {
  host = await startTestHost({
    files: {
      'evil/config.yaml': CONFIG,
      'evil/module.js': `import { BaseModule } from '@plexichat/sdk';
        const kept = [];
        export default class Evil extends BaseModule {
          setupRoutes() { this.router.get('/', {}, () => this.config.settings); }
          ${body}
        }`,
      'quiet/config.yaml': 'module_name: quiet\nmodule_version: 1.0.0\n',
      'quiet/module.js': `import { BaseModule } from '@plexichat/sdk';
        export default class Quiet extends BaseModule { setupRoutes() { this.router.get('/', {}, () => ({ well: true })); } }`,
    },
  });
}

const settings = async () => (await (await host.fetch('/api/v1/evil/')).json()) as Record<string, unknown>;
const isWell = async () => (await host.fetch('/api/v1/quiet/')).status === 200;

async function change(values: object): Promise<ChangedSettings> {
  const token = await host.token({ sub: 'olga', permissions: ['modules:manage'] });
  const response = await host.fetch('/api/v1/modules/evil/settings', {
    token,
    method: 'PUT',
    body: JSON.stringify({ values }),
    headers: { 'content-type': 'application/json' },
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text);
}

it.each([
  ['loops for ever', 'onSettingsChanged() { for (;;) {} }'],
  ['eats all memory', 'onSettingsChanged() { for (;;) kept.push(new Array(100_000).fill(1.5)); }'],
  ['never ends', 'onSettingsChanged() { return new Promise(() => {}); }'],
  ['waits in jobs for ever', 'async onSettingsChanged() { for (;;) await null; }'],
  ['throws what has no words', 'onSettingsChanged() { throw new Proxy({}, { get() { throw 1; } }); }'],
  ['throws a flood', `onSettingsChanged() { throw new Error('x'.repeat(5_000_000)); }`],
  ['answers with something else', 'onSettingsChanged() { return { then() { throw new Error(); } }; }'],
])(
  'a hook that %s costs its neighbours nothing, and the settings are in force',
  async (_what, body) => {
    await start(body);
    await settings();
    const changing = change({ city: 'Ulm' });
    expect(await isWell()).toBe(true);
    expect((await changing).values.city).toBe('Ulm');
    await until(async () => (await settings()).city === 'Ulm', PATIENCE_MS);
    expect(await isWell()).toBe(true);
  },
  PATIENCE_MS,
);

it('a hook that spoils its realm changes what the host keeps as little as the settings of others', async () => {
  await start(`onSettingsChanged(next) {
    for (const place of [Object.prototype, Array.prototype, Promise.prototype, WeakMap.prototype]) place.then = undefined;
    Object.defineProperty(Object.prototype, 'city', { get: () => 'stolen', set() {}, configurable: true });
    try { next.city = 'changed'; } catch {}
  }`);
  await settings();
  await change({ city: 'Ulm' });
  const token = await host.token({ permissions: ['modules:read'] });
  const seen = await (await host.fetch('/api/v1/modules/evil/settings', { token })).json();
  expect(seen).toMatchObject({ values: { city: 'Ulm' }, sources: { city: 'operator' } });
  expect(await isWell()).toBe(true);
});

it('no secret reaches the module with them, whatever it looks through', async () => {
  await start(`
    onSettingsChanged(next, previous) {
      const walk = (value, depth) => {
        if (typeof value === 'string') kept.push(value);
        else if (value !== null && typeof value === 'object' && depth < 6) {
          for (const name of Reflect.ownKeys(value)) { try { walk(value[name], depth + 1); } catch {} }
        }
      };
      walk([next, previous, this, [...arguments]], 0);
      this.logger.warn(JSON.stringify(kept).slice(0, 4000));
    }`);
  await settings();
  expect((await change({ city: 'Ulm', api_key: 'open-sesame' })).effect).toBe('live');
  expect((await settings()).api_key).toBe('{{secret.api_key}}');
  expect(JSON.stringify(host.lines)).toContain('secret.api_key');
  expect(JSON.stringify(host.lines)).not.toContain('open-sesame');
});

it(
  'many changes at once are all in force at the end, and the host is well',
  async () => {
    await start('async onSettingsChanged() { await new Promise((resolve) => setTimeout(resolve, 20)); }');
    await settings();
    const changes = Array.from({ length: 30 }, (_none, index) =>
      change({ [`key${index}`]: index, city: `city${index}` }),
    );
    expect((await Promise.all(changes)).every(({ effect }) => effect === 'live')).toBe(true);
    const now = await settings();
    for (let index = 0; index < 30; index++) expect(now[`key${index}`]).toBe(index);
    const token = await host.token({ permissions: ['modules:read'] });
    const kept = (await (await host.fetch('/api/v1/modules/evil/settings', { token })).json()) as ChangedSettings;
    expect(now.city).toBe(kept.values.city);
    expect(await isWell()).toBe(true);
  },
  PATIENCE_MS,
);
