/** A module that wants more than it was granted: whatever it tries, its grants stay what an operator said. */
import { afterEach, expect, it } from 'vitest';
import { startTestHost, type TestHost } from '../support/test-host.ts';

let host: TestHost;
afterEach(() => host.close());

const MODULE = `
  import { BaseModule } from '@plexichat/sdk';
  const say = (work) => Promise.resolve().then(work).then((value) => ['did', value ?? null], (error) => [error.code ?? error.name, error.message]);
  export default class Thief extends BaseModule {
    setupRoutes() {
      this.router.get('/try', {}, async () => {
        const targets = [
          'http://granted.example.com@127.0.0.1/', 'http://granted.example.com.evil.example/', 'http://GRANTED.example.com.:81/',
          'http://evil.example/?http://granted.example.com/', 'http://a.granted.example.com/', 'http://granted.example.com:8080/',
          'http://[::1]/', 'http://2130706433/', 'http://0x7f.1/', 'http://localhost/api/v1/modules/thief/grant', '//evil.example/', 'file:///etc/passwd',
        ];
        const tried = {};
        for (const url of targets) tried[url] = await say(async () => (await this.http.fetch(url)).status);
        tried.users = await say(() => this.getUserTier('alice'));
        for (const place of [this, this.config, Object.prototype, Array.prototype]) {
          try { place.required_permissions = ['users:read']; place.grants = ['users:read']; place.permissions = ['modules:manage']; } catch {}
        }
        tried.after = await say(() => this.getUserTier('alice'));
        return tried;
      });
      this.router.get('/flood', {}, async () => {
        let denied = 0;
        for (let round = 0; round < 300; round++) await this.getUserTier('u' + round).catch(() => { denied += 1; });
        return { denied };
      });
      this.router.get('/words', {}, async () => {
        const words = ["x'); DROP TABLE grants; --", '\\u0000', '\\u001b[2J', '{"kind":"reported","module":"other"}', '__proto__', 'A'.repeat(1900)];
        const tried = [];
        for (const text of words) tried.push((await say(() => this.logSecurityEvent('odd.words', { text })))[0]);
        for (const name of ['__proto__', '../x', 'a\\nb', 'x'.repeat(100)]) tried.push((await say(() => this.logSecurityEvent(name, {})))[0]);
        return tried;
      });
    }
  }`;

async function start(): Promise<void> {
  host = await startTestHost({
    files: {
      'thief/config.yaml':
        'module_name: thief\nmodule_version: 1.0.0\nrequired_permissions: ["http:granted.example.com"]\noptional_permissions: ["users:read"]\n',
      'thief/module.js': MODULE,
      'quiet/config.yaml': 'module_name: quiet\nmodule_version: 1.0.0\n',
      'quiet/module.js': `import { BaseModule } from '@plexichat/sdk';
        export default class Quiet extends BaseModule { setupRoutes() { this.router.get('/', {}, () => ({ well: true })); } }`,
    },
    config: 'grants: { thief: ["http:granted.example.com"] }',
  });
}

async function asOperator<Shape>(path: string): Promise<Shape> {
  const token = await host.token({ sub: 'olga', permissions: ['modules:read'] });
  return (await (await host.fetch(path, { token })).json()) as Shape;
}
type Events = { events: { module: string; kind: string; name: string; details: string; count: number }[] };

it('cannot reach a host or ask a question that was not granted, and each attempt is on record', async () => {
  await start();
  const tried = (await (await host.fetch('/api/v1/thief/try')).json()) as Record<string, [string, unknown]>;
  for (const [what, [outcome]] of Object.entries(tried)) expect([what, outcome]).not.toEqual([what, 'did']);
  expect([tried.users?.[0], tried.after?.[0]]).toEqual(['PERMISSION_DENIED', 'PERMISSION_DENIED']);
  const { permissions } = await asOperator<{ permissions: { granted: { permission: string }[] } }>(
    '/api/v1/modules/thief',
  );
  expect(permissions.granted.map(({ permission }) => permission)).toEqual(['http:granted.example.com']);
  const { events } = await asOperator<Events>('/api/v1/security-events?module=thief&limit=200');
  expect(events.filter(({ kind }) => kind === 'egress_denied').length).toBeGreaterThan(5);
  expect(events.filter(({ kind }) => kind === 'permission_denied').reduce((sum, { count }) => sum + count, 0)).toBe(2);
});

it('that is denied without end costs a few rows, and its neighbour is well', async () => {
  await start();
  expect(await (await host.fetch('/api/v1/thief/flood')).json()).toEqual({ denied: 300 });
  const { events } = await asOperator<Events>('/api/v1/security-events?limit=200');
  expect(events.length).toBeLessThanOrEqual(21);
  expect(events.reduce((sum, { count }) => sum + count, 0)).toBe(300);
  expect(await (await host.fetch('/api/v1/quiet/')).json()).toEqual({ well: true });
});

it('whatever words it reports stay words, under its own name', async () => {
  await start();
  expect(await (await host.fetch('/api/v1/thief/words')).json()).toEqual([
    ...Array(6).fill('did'),
    ...Array(4).fill('TypeError'),
  ]);
  const { events } = await asOperator<Events>('/api/v1/security-events?limit=200');
  expect(events.map(({ module, kind, name }) => `${module} ${kind} ${name}`)).toEqual(
    Array(6).fill('thief reported odd.words'),
  );
  expect((await asOperator<{ modules: unknown[] }>('/api/v1/modules')).modules).toHaveLength(2);
});
