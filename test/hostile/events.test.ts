/** Modules that mean harm with events and notifications, in real cells: what they get, and that their neighbours are well. */
import { afterEach, describe, expect, it } from 'vitest';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

let at: TestHost;
afterEach(() => at.close());

function written(name: string, body: string, lines: readonly string[] = [], before = '') {
  return {
    [`${name}/config.yaml`]: [
      `module_name: ${name}`,
      'module_version: 1.0.0',
      'tasks: { enabled: false }',
      'security: { require_authentication: false, rate_limiting: false }',
      ...lines,
    ].join('\n'),
    [`${name}/module.ts`]: `
      import { BaseModule, moduleEndpoint, moduleEvent } from '@plexichat/sdk';
      ${before}
      export default class Fixture extends BaseModule { heard: unknown[] = []; ${body} }`,
  };
}

const NEIGHBOUR = written(
  'neighbour',
  `@moduleEvent('module.evil.*') @moduleEvent('user.login') hear(data, event) { this.heard.push([data, event.source]); }
   @moduleEndpoint('GET /heard') told() { return this.heard; }`,
  ['optional_permissions: ["events:subscribe:user.login"]'],
);
const GRANTS = 'grants: { neighbour: ["events:subscribe:user.login"], evil: ["notifications:send"] }';

const start = async (evil: Record<string, string>, config = GRANTS): Promise<void> => {
  at = await startTestHost({ files: { ...evil, ...NEIGHBOUR }, config, settings: { cells: '1' } });
};
async function ask<Shape>(path: string, method = 'GET'): Promise<Shape> {
  return (await (await at.fetch(`/api/v1/${path}`, { method })).json()) as Shape;
}
const heard = () => ask<[unknown, string][]>('neighbour/heard');
async function tell(data: unknown): Promise<void> {
  const token = await at.token({ sub: 'chat', permissions: ['modules:manage'] });
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'user.login', data });
  await at.fetch('/api/v1/events', { token, method: 'POST', headers, body });
}
const neighbourIsWell = async (): Promise<void> => {
  await tell('well');
  await until(async () => (await heard()).some(([data]) => data === 'well'));
};

describe('a module that forges', () => {
  it('cannot speak as the chat host or as another module, whatever it does to its own realm', async () => {
    const forge = `
      @moduleEndpoint('POST /go') async go() {
        const stringify = JSON.stringify;
        JSON.stringify = (value) => stringify(value, (key, inner) => (key === 'name' ? 'user.login' : key === 'source' ? 'chat-host' : inner));
        String.prototype.startsWith = () => true;
        RegExp.prototype.test = () => true;
        Object.prototype.source = 'chat-host';
        Object.prototype.name = 'user.login';
        const ends = [];
        for (const name of ['user.login', 'module.evil.x', 'module.*', '__proto__', 'module.evil.x\\u0000']) {
          ends.push(await this.events.emit(name, { name: 'user.login', source: 'chat-host' }).then(() => 'sent', (error) => error.code ?? 'refused'));
        }
        JSON.stringify = stringify;
        delete Object.prototype.source;
        delete Object.prototype.name;
        return ends;
      }`;
    await start(written('evil', forge));
    await at.fetch('/api/v1/evil/go', { method: 'POST' }).catch(() => undefined);
    await neighbourIsWell();
    for (const [data, source] of await heard()) expect(source).toBe(data === 'well' ? 'chat-host' : 'evil');
  });

  it('says nothing while the host learns what it declares', async () => {
    await start(
      written(
        'evil',
        `constructor() { super(); void this.events.emit('module.evil.early', 'early').catch(() => {}); }`,
      ),
    );
    await neighbourIsWell();
    const early = (await heard()).filter(([data]) => data === 'early');
    // Once, when it boots; not a second time from the thread in which it was learnt.
    expect(early.length).toBeLessThanOrEqual(1);
    expect(early.every(([, source]) => source === 'evil')).toBe(true);
  });
});

describe('a module that asks for too much', () => {
  it('has so many subscriptions and no more, and none of what it was not granted', async () => {
    const floods = `
      @moduleEndpoint('POST /go') async go() {
        const tally = {};
        const count = (promise) => promise.then(() => 'ok', (error) => error.code).then((end) => { tally[end] = (tally[end] ?? 0) + 1; });
        await Promise.all(Array.from({ length: 300 }, () => count(this.events.subscribe('module.evil.*', () => {}))));
        await Promise.all(['user.login', 'user.*', 'message.sent', 'a.*.*.*'].map((pattern) => count(this.events.subscribe(pattern, () => {}))));
        return tally;
      }`;
    await start(written('evil', floods));
    expect(await ask('evil/go', 'POST')).toEqual({ ok: 100, QUOTA_EXCEEDED: 200, PERMISSION_DENIED: 4 });
    await neighbourIsWell();
  });

  it('fills only its own part of what is kept for a user', async () => {
    const spams = `
      @moduleEndpoint('POST /go') async go() {
        const ends = await Promise.allSettled(Array.from({ length: 90 }, (_, n) =>
          this.sendNotification({ userId: 'alice', title: 'spam ' + n, message: '\\u0000\\ud800'.repeat(1_000) })));
        return ends.filter(({ status }) => status === 'fulfilled').length;
      }`;
    await start(written('evil', spams), `${GRANTS}\nnotifications: { keep: 20, per_minute: 50 }`);
    expect(await ask('evil/go', 'POST')).toBe(50);
    const page = await ask<{ notifications: { module: string; message: string }[] }>('notifications');
    expect(page.notifications).toHaveLength(4);
    expect(page.notifications[0]?.message).toBe('\ufffd'.repeat(2_000));
    await neighbourIsWell();
  });
});

describe('a handler that misbehaves', () => {
  it.each([
    ['answers with a lie', `this.heard = { then: (resolve) => resolve(new Proxy({}, {})) }; return this.heard;`],
    ['throws what cannot be read', `throw new Proxy({}, { get() { throw new Error('no'); } });`],
    ['never ends', `return new Promise(() => {});`],
    ['spins', `for (;;);`],
    ['fills its heap', `const all = []; for (;;) all.push(new Array(1000).fill(1.5));`],
  ])('and %s costs nobody else an event', async (_how, code) => {
    await start(
      written(
        'evil',
        `@moduleEvent('module.evil.*') hear() { ${code} }
        @moduleEndpoint('POST /go') go() { return this.events.emit('module.evil.x', 'x'); }`,
        ['runtime: { timeout: 1 }'],
      ),
    );
    for (let turn = 0; turn < 2; turn++) await at.fetch('/api/v1/evil/go', { method: 'POST' });
    await neighbourIsWell();
    await until(async () => (await heard()).filter(([, source]) => source === 'evil').length >= 1);
    expect(at.lines.filter(({ level }) => level >= 50)).toEqual([]);
  });

  it('gets the data as data, whatever its keys are', async () => {
    await start(
      written(
        'evil',
        `@moduleEvent('module.neighbour.x') hear() {}
        @moduleEndpoint('POST /go') go() { return this.events.emit('module.evil.x', JSON.parse('{"__proto__":{"polluted":1},"constructor":2}')); }`,
      ),
    );
    await at.fetch('/api/v1/evil/go', { method: 'POST' });
    await until(async () => (await heard()).length === 1);
    const response = await at.fetch('/api/v1/neighbour/heard');
    expect(await response.text()).toBe('[[{"__proto__":{"polluted":1},"constructor":2},"evil"]]');
    expect({}).not.toHaveProperty('polluted');
  });
});
