/** Events and notifications in real hosts: over HTTP, through cells, to modules and users. */
import { afterEach, describe, expect, it } from 'vitest';
import type { HostedModule } from '../../runtime/modules/hosted-module.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { textReader } from '../support/text-reader.ts';
import { until } from '../support/until.ts';

const cache = sharedCache();
let at: TestHost;
afterEach(() => at.close());

/** A module folder: the body of its class. */
function written(name: string, body: string, lines: readonly string[] = []) {
  return {
    [`${name}/config.yaml`]: [
      `module_name: ${name}`,
      'module_version: 1.0.0',
      'auto_load: false',
      'tasks: { enabled: false }',
      'security: { require_authentication: false, rate_limiting: false }',
      ...lines,
    ].join('\n'),
    [`${name}/module.ts`]: `
      import { BaseModule, moduleEndpoint, moduleEvent } from '@plexichat/sdk';
      const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
      export default class Fixture extends BaseModule {
        heard: unknown[] = [];
        @moduleEndpoint('GET /heard') told() { return this.heard; }
        ${body}
      }`,
  };
}

const LISTENS = ['optional_permissions: ["events:subscribe:user.*", "notifications:send"]'];

async function start(files: Record<string, string>, config = '{}'): Promise<void> {
  at = await startTestHost({ files, config, settings: { cells: '2' }, cache });
}

async function tell(name: string, data: unknown = null): Promise<Response> {
  const token = await at.token({ sub: 'chat', permissions: ['modules:manage'] });
  const headers = { 'content-type': 'application/json' };
  return at.fetch('/api/v1/events', { token, method: 'POST', headers, body: JSON.stringify({ name, data }) });
}

async function json<Shape>(path: string): Promise<Shape> {
  const response = await at.fetch(path);
  return (await response.json()) as Shape;
}

const stateOf = (name: string): string | undefined => at.host.registry.get(name)?.state;
const heard = (name: string) => json<{ name: string; [key: string]: unknown }[]>(`/api/v1/${name}/heard`);
const said = (text: string): number => at.lines.filter(({ msg }) => msg.includes(text)).length;

async function count(series: string): Promise<number> {
  const token = await at.token({ permissions: ['modules:read'] });
  const text = await (await at.fetch('/metrics', { token })).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const KEEPS = `
  @moduleEvent('user.*') keep(data: unknown, event) {
    this.heard.push({ data, name: event.name, source: event.source, id: event.id, at: event.at, aborted: event.signal.aborted });
  }`;

describe('an event of the chat host', () => {
  it('wakes a module that declared it, with the words of the host about it', async () => {
    await start(written('demo', KEEPS, LISTENS), 'grants: { demo: ["events:subscribe:user.*"] }');
    expect([stateOf('demo'), at.host.registry.get('demo')?.reasons]).toEqual(['sleeping', []]);
    const response = await tell('user.login', { user_id: 'alice' });
    expect(response.status).toBe(202);
    const { id, subscribers } = (await response.json()) as { id: string; subscribers: number };
    expect(subscribers).toBe(1);
    await until(() => stateOf('demo') === 'running');
    await until(async () => (await heard('demo')).length === 1);
    expect(await heard('demo')).toEqual([
      {
        data: { user_id: 'alice' },
        name: 'user.login',
        source: 'chat-host',
        id,
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        aborted: false,
      },
    ]);
    expect(await count('plexi_events_total{source="chat-host"}')).toBe(1);
    expect(await count('plexi_event_deliveries_total{module="demo",outcome="delivered"}')).toBe(1);
  });

  it('is kept from a module that was not granted it, which is counted, and a security event', async () => {
    await start(written('demo', KEEPS, LISTENS));
    await tell('user.login');
    await until(async () => (await count('plexi_event_deliveries_total{module="demo",outcome="denied"}')) === 1);
    expect(await heard('demo')).toEqual([]);
    const token = await at.token({ permissions: ['modules:read'] });
    await until(async () => {
      const events = await (await at.fetch('/api/v1/security-events', { token })).text();
      return events.includes('events:subscribe:user.login');
    });
  });

  it('is for those who manage modules to tell, and never of a module', async () => {
    await start({});
    const refused = await at.fetch('/api/v1/events', { method: 'POST', body: '{}' });
    expect(refused.status).toBe(403);
    const response = await tell('module.demo.done');
    expect([response.status, ((await response.json()) as { errors: unknown[] }).errors]).toEqual([
      422,
      [{ path: '/body/name', message: expect.stringContaining('module.') }],
    ]);
  });
});

describe('an event of a module', () => {
  it('reaches every other module, in order, with a source that no module can choose', async () => {
    const emits = `
      @moduleEndpoint('POST /emit') async emitAll({ body }) {
        for (let one = 0; one < 20; one++) await this.events.emit('module.demo.counted', { one, source: 'chat-host' });
        return this.events.emit(body.name, null).catch(({ name, code, message }) => ({ name, code, message }));
      }`;
    const listens = `@moduleEvent('module.demo.*') @moduleEvent('module.demo.counted') keep(data, { source }) { this.heard.push([data.one, source]); }`;
    await start({ ...written('demo', emits), ...written('other', listens) });
    const headers = { 'content-type': 'application/json' };
    const response = await at.fetch('/api/v1/demo/emit', { method: 'POST', headers, body: '{"name":"user.login"}' });
    expect(await response.json()).toMatchObject({ name: 'TypeError', message: expect.stringContaining('module.') });
    await until(async () => (await heard('other')).length >= 20);
    expect(await heard('other')).toEqual(Array.from({ length: 20 }, (_each, one) => [one, 'demo']));
  });

  it('that its own handler answers with another ends as a chain, and harms nobody', async () => {
    // Begun by another: what a module emits while a request runs in it is not counted as an answer to an event.
    const begins = `@moduleEndpoint('POST /go') go() { return this.events.emit('module.loop.turn', 0); }`;
    const loops = `
      @moduleEvent('module.loop.turn') async turn(data) {
        this.heard.push(data);
        await wait(1);
        await this.events.emit('module.loop.turn', data + 1);
      }`;
    await start({ ...written('loop', loops), ...written('other', begins) });
    await at.fetch('/api/v1/other/go', { method: 'POST' });
    await until(async () => (await count('plexi_event_emits_refused_total{module="loop",why="chain"}')) === 1);
    expect(await heard('loop')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    await until(() => said("a module's handler of an event failed") > 0);
    expect(await heard('other')).toEqual([]);
    expect(stateOf('loop')).toBe('running');
  });

  it('that is one of a flood is refused beyond a rate, and what its listener cannot take is dropped and counted', async () => {
    const floods = `
      @moduleEndpoint('POST /go') async go() {
        const ends = await Promise.allSettled(Array.from({ length: 500 }, (_, n) => this.events.emit('module.flood.drop', n)));
        return { refused: ends.filter(({ reason }) => reason?.code === 'QUOTA_EXCEEDED').length };
      }`;
    const slow = `@moduleEvent('module.flood.*') async drop(data, { signal }) {
      this.heard.push(data);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    }`;
    const quick = `@moduleEvent('module.flood.*') drop(data) { this.heard.push(data); }`;
    await start(
      {
        ...written('flood', floods),
        ...written('slow', slow, ['runtime: { timeout: 2 }']),
        ...written('quick', quick),
      },
      'events: { emits_per_second: 50, max_waiting: 40 }',
    );
    const response = await at.fetch('/api/v1/flood/go', { method: 'POST' });
    const { refused } = (await response.json()) as { refused: number };
    expect(refused).toBeGreaterThan(300);
    await until(async () => (await count('plexi_event_deliveries_total{module="slow",outcome="full"}')) > 0);
    await until(async () => (await count('plexi_event_deliveries_total{module="slow",outcome="timeout"}')) > 0);
    expect(said('an event was dropped')).toBeGreaterThan(0);
    await until(async () => (await heard('quick')).length > 10);
    // The slow one waits for its deadline each time; the quick one is through with the same events long before.
    expect((await heard('slow')).length).toBeLessThan((await heard('quick')).length);
  });

  it('that ends the thread of one listener reaches the others', async () => {
    const ends = `@moduleEvent('module.demo.boom') boom() { for (;;); }`;
    const emits = `@moduleEndpoint('POST /go') go() { return this.events.emit('module.demo.boom'); }`;
    const listens = `@moduleEvent('module.demo.boom') keep(data) { this.heard.push(data); }`;
    await start({
      ...written('demo', emits),
      ...written('ends', ends, ['runtime: { timeout: 1 }']),
      ...written('other', listens),
    });
    for (let turn = 0; turn < 3; turn++) await at.fetch('/api/v1/demo/go', { method: 'POST' });
    await until(async () => (await heard('other')).length === 3);
    await until(async () => (await count('plexi_event_deliveries_total{module="ends",outcome="timeout"}')) >= 1);
  });
});

describe('a subscription at run time', () => {
  const SUBSCRIBES = `
    @moduleEndpoint('POST /on') async on({ body }) {
      try {
        this.news = await this.events.subscribe(body.pattern, (data, { source }) => void this.heard.push([data, source]));
        return { ok: true };
      } catch (error) {
        return { name: error.name, message: error.message };
      }
    }
    @moduleEndpoint('POST /off') async off() { await this.news.unsubscribe(); return {}; }`;
  const post = async (path: string, body: unknown = {}): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    return (await at.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  };

  it('is delivered until it is taken back', async () => {
    await start(written('demo', SUBSCRIBES, LISTENS), 'grants: { demo: ["events:subscribe:user.*"] }');
    expect(await post('/api/v1/demo/on', { pattern: 'user.*' })).toEqual({ ok: true });
    expect(await (await tell('user.login', 1)).json()).toMatchObject({ subscribers: 1 });
    await until(async () => (await heard('demo')).length === 1);
    expect(await heard('demo')).toEqual([[1, 'chat-host']]);
    await post('/api/v1/demo/off');
    expect(await (await tell('user.login', 2)).json()).toMatchObject({ subscribers: 0 });
  });

  it('to what was not granted is refused by the name of the permission', async () => {
    await start(written('demo', SUBSCRIBES, LISTENS));
    expect(await post('/api/v1/demo/on', { pattern: 'user.*' })).toEqual({
      name: 'PermissionDeniedError',
      message: expect.stringContaining('events:subscribe:user.*'),
    });
    expect(await (await tell('user.login')).json()).toMatchObject({ subscribers: 0 });
  });

  it('ends with its thread, and wakes nobody', async () => {
    await start(written('demo', SUBSCRIBES));
    await post('/api/v1/demo/on', { pattern: 'module.demo.*' });
    const module = at.host.registry.get('demo') as HostedModule;
    await module.sleepIfIdle(Date.now() + 3_600_000);
    expect(stateOf('demo')).toBe('sleeping');
    expect(at.lines.filter(({ level }) => level >= 50)).toEqual([]);
    expect(await heard('demo')).toEqual([]);
  });
});

describe('a notification', () => {
  const SENDS = `
    @moduleEvent('user.login') async greet(data) {
      await this.sendNotification({ userId: data.user_id, title: 'Hi', message: 'line 1\\nid: 7\\n\\n', type: 'success' });
    }
    @moduleEndpoint('POST /send') async send() {
      return this.sendNotification({ userId: 'bob', title: 'x' }).catch(({ name, message }) => ({ name, message }));
    }`;
  const GRANTS = 'grants: { demo: ["events:subscribe:user.*", "notifications:send"] }';
  const listOf = async (sub: string, query = '') => {
    const response = await at.fetch(`/api/v1/notifications${query}`, { token: await at.token({ sub }) });
    return (await response.json()) as {
      notifications: { id: string; read_at: string | null }[];
      next: string | null;
      unread: number;
    };
  };

  it('is kept for its user, who reads it, and for nobody else', async () => {
    await start(written('demo', SENDS, LISTENS), GRANTS);
    await tell('user.login', { user_id: 'alice' });
    await until(async () => (await listOf('alice')).unread === 1);
    const { notifications, next } = await listOf('alice');
    expect({ notifications, next }).toEqual({
      next: null,
      notifications: [
        {
          id: expect.stringMatching(/^\d+$/),
          module: 'demo',
          type: 'success',
          title: 'Hi',
          message: 'line 1\nid: 7\n\n',
          at: expect.any(String),
          read_at: null,
        },
      ],
    });
    expect((await listOf('bob')).notifications).toEqual([]);
    const path = `/api/v1/notifications/${notifications[0]?.id}/read`;
    const stranger = await at.fetch(path, { method: 'POST', token: await at.token({ sub: 'bob' }) });
    expect(stranger.status).toBe(404);
    const read = await at.fetch(path, { method: 'POST', token: await at.token({ sub: 'alice' }) });
    expect(await read.json()).toEqual({ id: notifications[0]?.id, read_at: expect.any(String) });
    expect((await listOf('alice', '?unread=true')).notifications).toEqual([]);
    expect((await listOf('alice')).notifications[0]?.read_at).not.toBeNull();
  });

  it('is nothing that a module may send without the permission', async () => {
    await start(written('demo', SENDS, LISTENS));
    const response = await at.fetch('/api/v1/demo/send', { method: 'POST' });
    expect(await response.json()).toMatchObject({
      name: 'PermissionDeniedError',
      message: expect.stringContaining('notifications:send'),
    });
    expect((await listOf('bob')).notifications).toEqual([]);
  });

  it('is streamed to its user as it comes, and what was missed first', async () => {
    await start(written('demo', SENDS, LISTENS), GRANTS);
    const token = await at.token({ sub: 'alice' });
    const open = async (headers: Record<string, string> = {}) => {
      const response = await at.fetch('/api/v1/notifications?stream=true', { token, headers });
      expect(response.headers.get('content-type')).toContain('text/event-stream');
      const reader = textReader(response.body as ReadableStream<Uint8Array>);
      let text = '';
      return {
        reader,
        async until(words: RegExp): Promise<string> {
          while (!words.test(text)) {
            const piece = await reader.read();
            if (piece === undefined) throw new Error(`The stream ended: ${text}`);
            text += piece;
          }
          return text;
        },
      };
    };
    const first = await open();
    await first.until(/retry/);
    await tell('user.login', { user_id: 'alice' });
    const seen = await first.until(/data: .*\n\n/);
    const id = /^id: (\d+)$/m.exec(seen)?.[1] ?? '';
    expect(JSON.parse(/^data: (.*)$/m.exec(seen)?.[1] ?? '')).toMatchObject({ id, title: 'Hi' });
    expect(seen.match(/^id: /gm)).toHaveLength(1);
    await first.reader.cancel();
    await tell('user.login', { user_id: 'alice' });
    await until(async () => (await listOf('alice')).unread === 2);
    const second = await open({ 'last-event-id': id });
    const missed = await second.until(/data: .*\n\n/);
    expect(Number(/^id: (\d+)$/m.exec(missed)?.[1])).toBeGreaterThan(Number(id));
    await second.reader.cancel();
  });

  it('streams of one user are bounded, and end with the host', async () => {
    await start({}, 'notifications: { streams_per_user: 2 }');
    const token = await at.token({ sub: 'alice' });
    const open = () => at.fetch('/api/v1/notifications?stream=true', { token });
    const streams = [await open(), await open()];
    expect((await open()).status).toBe(429);
    expect((await at.fetch('/api/v1/notifications?stream=true', { token: null })).status).toBe(401);
    await streams[0]?.body?.cancel();
    await until(async () => {
      const response = await open();
      if (response.status === 200) streams.push(response);
      else await response.body?.cancel();
      return response.status === 200;
    });
    const ended = streams.at(-1)?.text();
    await at.host.close();
    expect(await ended).toContain('retry');
  });
});
