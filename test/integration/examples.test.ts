/** The examples as `npm start` serves them, over real HTTP, with the fake services on free ports. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tier } from '@plexichat/sdk/protocol/declaration';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillFolder } from '../../examples/cleanup/fill-folder.ts';
import { startUpstream as startChat } from '../../examples/digest/upstream.ts';
import { startUpstream as startTranslation } from '../../examples/translator/upstream.ts';
import { startUpstream as startWeather } from '../../examples/weather/upstream.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const SECRET = 'a-key-that-no-module-sees';

let at: TestHost;
let upstream: Server;
let chat: Server;
let translation: Server;
let temp: string;
const askedUpstream: URL[] = [];
const postedDigests: string[] = [];
const translationKeys: string[] = [];

beforeAll(async () => {
  const started = await Promise.all([startWeather(0), startChat(0), startTranslation(0)]);
  const [weatherServer, chatServer, translationServer] = started;
  if (weatherServer === undefined || chatServer === undefined || translationServer === undefined) {
    throw new Error('No free port for a fake service.');
  }
  [upstream, chat, translation] = [weatherServer, chatServer, translationServer];
  translation.on('request', ({ headers }) => translationKeys.push(String(headers.authorization)));
  upstream.on('request', ({ url }) => askedUpstream.push(new URL(url ?? '', 'http://upstream')));
  chat.on('request', ({ method, headers }) => {
    if (method === 'POST') postedDigests.push(String(headers['idempotency-key']));
  });
  const { port } = upstream.address() as AddressInfo;
  const { port: chatPort } = chat.address() as AddressInfo;
  const { port: translationPort } = translation.address() as AddressInfo;
  temp = realpathSync(mkdtempSync(join(tmpdir(), 'plexi-cleanup-')));
  await fillFolder(temp);
  at = await startTestHost({
    settings: { modules: fileURLToPath(new URL('../../examples', import.meta.url)) },
    config: `
grants:
  cleanup: ["files:read:/tmp/plexichat-cleanup", "files:write:/tmp/plexichat-cleanup", "files:read:${temp}", "files:write:${temp}"]
  digest: ["http:localhost:8098", "http:localhost:${chatPort}"]
  notes: ["database"]
  translator: ["http:localhost:8097", "http:localhost:${translationPort}", "modules:call:glossary"]
  weather: ["http:localhost:8099", "http:localhost:${port}"]
  welcome: ["events:subscribe:user.login", "notifications:send"]
egress: { allow_private: ["localhost:${chatPort}", "localhost:${port}", "localhost:${translationPort}"] }
`,
    environment: {
      PLEXI_MODULE__CLEANUP__SETTINGS__FOLDER: temp,
      PLEXI_MODULE__DIGEST__SETTINGS__CHAT_URL: `http://localhost:${chatPort}`,
      PLEXI_MODULE__TRANSLATOR__SETTINGS__UPSTREAM_URL: `http://localhost:${translationPort}/translate`,
      PLEXI_MODULE__TRANSLATOR__SETTINGS__API_KEY: SECRET,
      PLEXI_MODULE__GLOSSARY__SETTINGS__LOG_LEVEL: 'DEBUG',
      PLEXI_MODULE__WEATHER__SETTINGS__UPSTREAM_URL: `http://localhost:${port}/weather`,
      PLEXI_MODULE__WEATHER__SETTINGS__API_KEY: SECRET,
      PLEXI_MODULE__WEATHER__SETTINGS__LOG_LEVEL: 'DEBUG',
    },
  });
});
afterAll(async () => {
  await at.close();
  upstream.close();
  chat.close();
  translation.close();
  rmSync(temp, { recursive: true, force: true });
});

interface CallOptions extends RequestInit {
  readonly sub?: string;
  readonly tier?: Tier;
  /** Sent as JSON, with POST. */
  readonly json?: unknown;
}

async function call(path: string, { sub = 'alice', tier = 'premium', json, ...init }: CallOptions = {}) {
  const token = await at.token({ sub, tier, permissions: ['read', 'write'] });
  if (json === undefined) return at.fetch(path, { token, ...init });
  const headers = { 'content-type': 'application/json' };
  return at.fetch(path, { token, method: 'POST', body: JSON.stringify(json), headers });
}

async function problem(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return (await response.json()) as Record<string, unknown>;
}

let looks = 0;

/** Each time as somebody else, so that looking often meets no rate limit. */
async function openStreams() {
  looks += 1;
  const response = await call('/api/v1/streaming/open', { sub: `looker-${looks}` });
  return (await response.json()) as { ticks: number; downloads: number; sentBytes: number };
}

describe('the examples', () => {
  it('all run', () => {
    expect(at.host.registry.broken).toEqual([]);
    expect(Object.fromEntries(at.host.registry.list().map(({ name, state }) => [name, state]))).toMatchObject({
      cleanup: 'running',
      digest: 'running',
      example_module: 'running',
      glossary: 'running',
      markdown: 'running',
      notes: 'running',
      streaming: 'running',
      translator: 'running',
      weather: 'running',
      welcome: 'sleeping',
    });
  });

  it.each(['/api/v1/digest/last', '/api/v1/example/status', '/api/v1/weather/weather/oslo', '/api/v1/streaming/open'])(
    'are closed to callers without a token: %s',
    async (path) => {
      const response = await at.fetch(path, { token: null });
      expect(response.status).toBe(401);
      expect(await problem(response)).toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );
});

describe('example_module', () => {
  it('tells the version of its config.yaml', async () => {
    const response = await call('/api/v1/example/status');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: 'active', version: '1.0.0' });
  });

  it('greets premium users, and nobody of the basic tier', async () => {
    const greeting = await call('/api/v1/example/greet?name=Ada');
    expect(await greeting.json()).toEqual({ greeting: 'Hello, Ada!', from: 'alice' });
    const refusal = await call('/api/v1/example/greet?name=Ada', { tier: 'basic' });
    expect(refusal.status).toBe(403);
    expect((await problem(refusal)).detail).toContain('premium');
  });

  it('keeps an answer for the user it was made for', async () => {
    await call('/api/v1/example/greet?name=Bo');
    const again = await call('/api/v1/example/greet?name=Bo');
    const other = await call('/api/v1/example/greet?name=Bo', { sub: 'bob' });
    expect([again.headers.get('x-cache'), other.headers.get('x-cache')]).toEqual(['HIT', 'MISS']);
    expect(await other.json()).toMatchObject({ from: 'bob' });
  });

  it('answers 422 that names every field of a bad action', async () => {
    const response = await call('/api/v1/example/action', { json: { action: 'explode', items: [0] } });
    expect(response.status).toBe(422);
    const { errors } = await problem(response);
    expect((errors as { path: string }[]).map(({ path }) => path).sort()).toEqual(['/body/action', '/body/items/0']);
  });

  it('answers 429 with Retry-After to the eleventh action of a minute', async () => {
    const act = () => call('/api/v1/example/action', { sub: 'eager', json: { action: 'archive', items: [1] } });
    for (let count = 1; count <= 10; count++) expect((await act()).status).toBe(200);
    const refusal = await act();
    expect(refusal.status).toBe(429);
    expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('notes', () => {
  it('keeps notes in tables of its own, each for who wrote it', async () => {
    const made = await call('/api/v1/notes', { sub: 'ada', json: { title: 'Milk', tags: ['shop'] } });
    expect(made.status).toBe(201);
    const place = made.headers.get('location') ?? '';
    expect(await made.json()).toMatchObject({ title: 'Milk', text: '', tags: ['shop'], pinned: false });
    expect(await (await call('/api/v1/notes?tag=shop', { sub: 'ada' })).json()).toMatchObject([{ title: 'Milk' }]);
    expect((await call(place, { sub: 'ada' })).status).toBe(200);
    expect((await call(place, { sub: 'eve' })).status).toBe(404);
  });
});

describe('weather', () => {
  it('answers with the weather of a city, and from the cache the second time', async () => {
    const first = await call('/api/v1/weather/weather/berlin');
    expect(first.status).toBe(200);
    expect(await first.json()).toEqual({ city: 'Berlin', temperature: 11, description: 'light rain' });
    const second = await call('/api/v1/weather/weather/berlin');
    expect(second.headers.get('x-cache')).toBe('HIT');
  });

  it('finds a city whose name needs encoding', async () => {
    const response = await call(`/api/v1/weather/weather/${encodeURIComponent('são paulo')}`);
    expect(await response.json()).toMatchObject({ city: 'São Paulo' });
  });

  it('answers 404 for a city that nobody knows', async () => {
    const response = await call('/api/v1/weather/weather/atlantis');
    expect(response.status).toBe(404);
    expect(await problem(response)).toMatchObject({ code: 'MODULE_HTTP_ERROR', detail: 'City not found' });
  });

  it('sends its key to the service and never sees it', async () => {
    const response = await call('/api/v1/weather/weather/tokyo');
    expect(await response.text()).not.toContain(SECRET);
    expect(askedUpstream.find(({ searchParams }) => searchParams.get('q') === 'tokyo')?.searchParams.get('appid')).toBe(
      SECRET,
    );
    const hasLogged = () => at.lines.filter(({ module }) => module === 'weather').map((line) => JSON.stringify(line));
    await until(() => hasLogged().some((line) => line.includes('q=tokyo&appid=%7B%7Bsecret.api_key%7D%7D')));
    expect(JSON.stringify(at.lines)).not.toContain(SECRET);
  });

  it('answers 502 in plain words when the service is down', async () => {
    const { port } = upstream.address() as AddressInfo;
    upstream.close();
    upstream.closeAllConnections();
    await once(upstream, 'close');
    try {
      const response = await call('/api/v1/weather/weather/lisbon');
      expect(response.status).toBe(502);
      expect((await problem(response)).detail).toBe('The weather service cannot be reached; please try again later');
    } finally {
      upstream.listen(port, '127.0.0.1');
      await once(upstream, 'listening');
    }
  });
});

describe('digest', () => {
  it('says what to do before there is a digest', async () => {
    const response = await call('/api/v1/digest/last');
    expect(response.status).toBe(404);
    expect((await problem(response)).detail).toContain('POST /api/v1/digest/now');
  });

  it('makes one in the background, posts it once although the chat fails, and shows it', async () => {
    // Making the database of the queue takes seconds, on a busy machine many.
    await until(() => at.host.tasks.queues().length > 0, 60_000);
    const accepted = await call('/api/v1/digest/now', { method: 'POST' });
    expect(accepted.status).toBe(202);
    const { id } = (await accepted.json()) as { id: string };
    expect(accepted.headers.get('location')).toBe(`/api/v1/digest/${id}`);

    let looked = 0;
    const look = () => call(`/api/v1/digest/${id}`, { sub: `reader-${++looked}` });
    await until(async () => (await look()).status === 200);
    const digest = (await (await look()).json()) as Record<string, unknown>;
    expect(digest).toMatchObject({ messages: 10, words: expect.arrayContaining([{ word: 'release', count: 4 }]) });
    expect((await call('/api/v1/digest/last')).status).toBe(200);

    // A full hour may come at any time, and bring a digest of its own.
    const key = `summarize ${id}`;
    expect(postedDigests.filter((each) => each === key)).toHaveLength(2);
    const { port } = chat.address() as AddressInfo;
    const kept = (await (await fetch(`http://localhost:${port}/digests`)).json()) as Record<string, string>;
    expect(JSON.parse(kept[key] ?? '')).toMatchObject({ messages: 10 });

    const findRun = async () => (await at.host.tasks.runs('digest', 'summarize', 10)).find((run) => run.id === id);
    await until(async () => (await findRun())?.state === 'completed');
    const run = await findRun();
    expect(run).toMatchObject({ origin: 'module', attempt: 2, attempts: 4, progress: 100, note: 'posted' });
    expect(run?.logs).toContain('Page 3 of 3: 2 messages.');
    expect(run?.logs.at(-1)).toBe('Posted in attempt 2.');
  }, 90_000);

  it('is scheduled for the next full hour', async () => {
    const task = (await at.host.tasks.list()).find(({ module }) => module === 'digest');
    expect(task).toMatchObject({ module: 'digest', task: 'summarize', state: 'scheduled', schedule: '0 * * * *' });
    expect(task?.next_at).toMatch(/:00:00\.000Z$/);
  });
});

describe('cleanup', () => {
  it('shows what is old, and removes it in the background', async () => {
    const preview = await call('/api/v1/cleanup/preview');
    expect(await preview.json()).toMatchObject({ files: 2, first: [`${temp}/old.log`, `${temp}/uploads/older.tmp`] });
    await until(() => at.host.tasks.queues().length > 0, 60_000);
    await at.host.tasks.run('cleanup', 'cleanUp', null, 'operator');
    await until(async () => (await at.host.tasks.runs('cleanup', 'cleanUp', 1))[0]?.state === 'completed', 60_000);
    expect(readdirSync(temp, { recursive: true }).sort()).toEqual(['new.log', 'uploads']);
    const [run] = await at.host.tasks.runs('cleanup', 'cleanUp', 1);
    expect(run).toMatchObject({ progress: 100, note: '2 of 2', attempt: 1 });
  }, 90_000);
});

describe('markdown', () => {
  const json = { markdown: '# Hi\n\n<script>alert(1)</script>' };
  const html = '<h1>Hi</h1>\n<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n';

  it('answers with HTML that runs in no origin', async () => {
    const response = await call('/api/v1/markdown/render', { json });
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain('sandbox');
    expect(await response.text()).toBe(html);
  });

  it('answers with JSON when asked to', async () => {
    const response = await call('/api/v1/markdown/render?format=json', { json });
    expect(await response.json()).toEqual({ html });
  });

  it('answers 422 for a format that it does not know', async () => {
    const response = await call('/api/v1/markdown/render?format=pdf', { json });
    expect(response.status).toBe(422);
    expect((await problem(response)).errors).toMatchObject([{ path: '/query/format' }]);
  });
});

describe('streaming', () => {
  it('sends each event when it happens, not all at the end', async () => {
    const response = await call('/api/v1/streaming/ticks?count=3&interval=200');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const pieces: string[] = [];
    const stillOpen: number[] = [];
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      pieces.push(piece);
      stillOpen.push((await openStreams()).ticks);
    }
    expect(pieces).toEqual([1, 2, 3].map((tick) => `id: ${tick}\nevent: tick\ndata: {"tick":${tick},"of":3}\n\n`));
    expect(stillOpen).toEqual([1, 1, 0]);
  });

  it('stops ticking when the client goes away', async () => {
    const client = new AbortController();
    const response = await call('/api/v1/streaming/ticks?count=3600&interval=50', { signal: client.signal });
    await response.body?.getReader().read();
    expect((await openStreams()).ticks).toBe(1);
    client.abort();
    await until(async () => (await openStreams()).ticks === 0);
  });

  it('hashes an upload of 5 MB', async () => {
    const body = new Uint8Array(5 * 1024 * 1024).map((_zero, index) => (index * 31) % 251);
    const response = await call('/api/v1/streaming/upload', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      size: body.byteLength,
      sha256: createHash('sha256').update(body).digest('hex'),
    });
  });

  it('downloads what was asked for, byte by byte', async () => {
    const response = await call('/api/v1/streaming/download?size=3000001');
    expect(response.headers.get('content-disposition')).toContain('letters.txt');
    const text = await response.text();
    expect(text).toHaveLength(3_000_001);
    expect(text.endsWith('xyzabcdefghijklmnopq')).toBe(true);
  });

  it('makes little more than a client takes, and stops when it stops', async () => {
    const before = (await openStreams()).sentBytes;
    const client = new AbortController();
    const response = await call('/api/v1/streaming/download?size=1000000000', { signal: client.signal });
    await response.body?.getReader().read();
    const paused = await settled(async () => (await openStreams()).sentBytes);
    expect(paused - before).toBeLessThan(50_000_000);
    expect((await openStreams()).downloads).toBe(1);
    client.abort();
    await until(async () => (await openStreams()).downloads === 0);
  });
});

/** The value once it has stayed the same for ten looks. */
async function settled(look: () => Promise<number>): Promise<number> {
  let value = await look();
  let same = 0;
  await until(async () => {
    const next = await look();
    same = next === value ? same + 1 : 0;
    value = next;
    return same === 10;
  });
  return value;
}

describe('welcome', () => {
  it('is woken by a login, greets the user, and counts', async () => {
    const token = await at.token({ sub: 'chat', permissions: ['modules:manage'] });
    const headers = { 'content-type': 'application/json' };
    const tell = (name: string) =>
      at.fetch('/api/v1/events', {
        token,
        method: 'POST',
        headers,
        body: JSON.stringify({ name, data: { user_id: 'ada', name: 'Ada' } }),
      });
    const response = await tell('user.login');
    expect([response.status, await response.json()]).toMatchObject([202, { subscribers: 1 }]);
    await tell('user.login');
    const titles = async () => {
      const page = (await (await call('/api/v1/notifications', { sub: 'ada' })).json()) as {
        notifications: { title: string; module: string }[];
      };
      return page.notifications.map(({ title, module }) => `${module}: ${title}`);
    };
    await until(async () => (await titles()).length === 2);
    expect(await titles()).toEqual(['welcome: Welcome back, Ada!', 'welcome: Welcome, Ada!']);
    expect(await (await call('/api/v1/welcome/logins', { sub: 'ada' })).json()).toEqual({ logins: 2 });
    expect((await tell('module.welcome.greeted')).status).toBe(422);
  });
});

describe('translator', () => {
  it('translates with the terms of another module, and with a key that it never sees', async () => {
    const wish = { text: 'Good morning in the channel', to: 'de' };
    const response = await call('/api/v1/translator/translate', { sub: 'ada', json: wish });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ text: 'guten Morgen in dem Kanal', terms: ['channel'] });
    expect(translationKeys).toEqual([`Bearer ${SECRET}`]);
    const asked = at.lines.find(({ module, msg }) => module === 'glossary' && msg === 'Terms were asked for');
    expect(JSON.stringify(asked)).toContain('"by":"translator","for":"ada"');
  });
});
