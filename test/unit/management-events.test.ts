import { type ErrorCode, PlexiError } from '@plexichat/sdk/protocol/errors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Problem } from '../../runtime/gateway/problem.ts';
import { mountEvents } from '../../runtime/management/mount-events.ts';
import { notificationStream } from '../../runtime/management/notification-stream.ts';
import type { Notification } from '../../runtime/notifications/notification.ts';
import type { FeedListener } from '../../runtime/notifications/notification-feed.ts';
import { bearer, fakeGateway, jsonOf, type TokenClaims } from '../support/fake-modules.ts';
import { textReader } from '../support/text-reader.ts';

const EVENTS = '/api/v1/events';
const OWN = '/api/v1/notifications';

let told: unknown[][];
let asked: unknown[][];
let gateway: ReturnType<typeof fakeGateway>;

beforeEach(() => {
  told = [];
  asked = [];
  const note =
    <Answer>(name: string, answer: Answer) =>
    async (...args: unknown[]) => {
      asked.push([name, ...args]);
      return answer;
    };
  gateway = fakeGateway([], {
    mount: (platform, tools) =>
      mountEvents(platform, tools, {
        events: {
          publish: (...args) => {
            told.push(args);
            return { id: 'e1', subscribers: 3 };
          },
        },
        notifications: {
          list: note('list', { notifications: [], next: null, unread: 0 }),
          since: note('since', []),
          markRead: note('markRead', { id: '7', read_at: 'now' }),
          listen: (user: string) => {
            if (user === 'greedy') throw new PlexiError('RATE_LIMITED', 'too many');
            return () => {};
          },
        },
      }),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

async function as(claims: TokenClaims, path: string, init: RequestInit = {}): Promise<Response> {
  return gateway.request(path, { ...init, headers: { ...(init.headers as object), ...(await bearer(claims)) } });
}

const chat = (body: string, path = EVENTS) =>
  as({ sub: 'chat', permissions: ['modules:manage'] }, path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
const alice = (path: string, init?: RequestInit) => as({ sub: 'alice' }, path, init);

async function refused(asking: Promise<Response>, status: number, code: ErrorCode): Promise<Problem> {
  const response = await asking;
  const problem = await jsonOf<Problem>(response);
  expect([response.status, problem.code], problem.detail).toEqual([status, code]);
  return problem;
}

describe('POST /api/v1/events', () => {
  it('tells who listens, and answers 202 with how many they are', async () => {
    const response = await chat('{"name":"user.login","data":{"user_id":"alice"}}');
    expect(response.status).toBe(202);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await jsonOf(response)).toEqual({ id: 'e1', subscribers: 3 });
    await chat('{"name":"user.logout"}');
    expect(told).toEqual([
      ['user.login', '{"user_id":"alice"}'],
      ['user.logout', 'null'],
    ]);
  });

  it('is for operators only', async () => {
    await refused(Promise.resolve(gateway.request(EVENTS, { method: 'POST' })), 401, 'UNAUTHENTICATED');
    for (const permissions of [['modules:read'], ['modules:*'], ['events']]) {
      await refused(as({ tier: 'admin', permissions }, EVENTS, { method: 'POST' }), 403, 'FORBIDDEN');
    }
    expect(told).toEqual([]);
  });

  it.each([
    ['', '/body/name'],
    ['{}', '/body/name'],
    ['[]', '/body'],
    ['{"name":"User.login"}', '/body/name'],
    ['{"name":"user.*"}', '/body/name'],
    ['{"name":"module.demo.x"}', '/body/name'],
    ['{"name":"user.login","source":"demo"}', '/body/source'],
    ['{"name":"user.login","__proto__":{"a":1}}', '/body/__proto__'],
    [`{"name":"${'x'.repeat(129)}"}`, '/body/name'],
    [`{"name":"user.login","data":[${Array(13_000).fill('1e20').join(',')}]}`, undefined],
    [`{"name":"user.login","data":${'['.repeat(60)}${']'.repeat(60)}}`, '/body'],
  ])('refuses %.60s', async (body, path) => {
    const response = await chat(body);
    const problem = await jsonOf<Problem>(response);
    expect([413, 422]).toContain(response.status);
    if (path !== undefined) expect(problem.errors?.map((issue) => issue.path)).toContain(path);
    expect(told).toEqual([]);
  });

  it('takes no more than 64 KB, no query, and no other method', async () => {
    const long = JSON.stringify({ name: 'user.login', data: 'x'.repeat(65_536) });
    await refused(chat(long), 413, 'PAYLOAD_TOO_LARGE');
    await refused(chat('{"name":"user.login"}', `${EVENTS}?source=demo`), 422, 'INVALID_INPUT');
    const response = await as({ permissions: ['modules:manage'] }, EVENTS);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect(told).toEqual([]);
  });
});

describe('GET /api/v1/notifications', () => {
  it('is for everybody who says who they are, and shows only their own', async () => {
    await refused(Promise.resolve(gateway.request(OWN)), 401, 'UNAUTHENTICATED');
    const response = await alice(`${OWN}?unread=true&limit=5&before=99`);
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(response.headers.get('ratelimit-policy')).toBe('"notifications";q=300;w=60');
    await alice(OWN);
    expect(asked).toEqual([
      ['list', 'alice', { unreadOnly: true, limit: 5, before: 99 }],
      ['list', 'alice', { unreadOnly: false, limit: 50, before: undefined }],
    ]);
  });

  it.each([
    '?user=bob',
    '?unread=maybe',
    '?limit=0',
    '?limit=101',
    '?before=-1',
    '?before=1e3',
    '?stream=1',
    '?unread=true&unread=true',
  ])('refuses %s', async (query) => {
    await refused(alice(OWN + query), 422, 'INVALID_INPUT');
    expect(asked).toEqual([]);
  });

  it('marks one as read, for its user', async () => {
    const response = await alice(`${OWN}/7/read`, { method: 'POST' });
    expect(await jsonOf(response)).toEqual({ id: '7', read_at: 'now' });
    expect(asked).toEqual([['markRead', 'alice', 7]]);
    for (const id of ['x', '0', '1.5', '12345678901234567', '%00']) {
      await refused(alice(`${OWN}/${id}/read`, { method: 'POST' }), 404, 'NOT_FOUND');
    }
    const wrong = await alice(`${OWN}/7/read`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('as a stream says so, and refuses one too many before anything is sent', async () => {
    const response = await alice(`${OWN}?stream=true`, { headers: { 'last-event-id': '5' } });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await response.body?.cancel();
    const nonsense = await alice(`${OWN}?stream=true`, { headers: { 'last-event-id': '5; DROP' } });
    await nonsense.body?.cancel();
    expect(asked).toEqual([['since', 'alice', 5]]);
    await refused(as({ sub: 'greedy' }, `${OWN}?stream=true`), 429, 'RATE_LIMITED');
  });
});

describe('a stream of notifications', () => {
  const notification = (id: number, title = 'Hi'): Notification => {
    return { id: String(id), module: 'demo', type: 'info', title, message: '', at: 'then', read_at: null };
  };
  const open = ({ missed = async () => [] as Notification[], recheck = (): unknown => ({}) } = {}) => {
    vi.useFakeTimers();
    const listeners = new Set<FeedListener>();
    const stream = notificationStream({
      listen: (listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      missed,
      recheck,
      heartbeatMs: 1_000,
      maxAgeMs: 10_000,
    });
    const reader = textReader(stream);
    const tell = (told: Notification) => {
      for (const { onNotification } of [...listeners]) onNotification(told);
    };
    const rest = async (): Promise<string> => {
      let text = '';
      for (;;) {
        const piece = await reader.read();
        if (piece === undefined) return text;
        text += piece;
      }
    };
    return { listeners, reader, tell, rest, end: () => [...listeners][0]?.onEnd() };
  };
  const idsOf = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));

  it('begins with what was missed, and sends nothing twice that came meanwhile', async () => {
    const held = Promise.withResolvers<Notification[]>();
    const { tell, rest, end } = open({ missed: () => held.promise });
    tell(notification(2));
    tell(notification(3));
    held.resolve([notification(1), notification(2)]);
    await vi.advanceTimersByTimeAsync(0);
    tell(notification(4));
    end();
    expect(idsOf(await rest())).toEqual([1, 2, 3, 4]);
  });

  it('keeps a hostile title in its line', async () => {
    const { tell, rest, end } = open();
    await vi.advanceTimersByTimeAsync(0);
    tell(notification(1, 'a\n\nid: 99\ndata: forged\r\u2028'));
    end();
    const text = await rest();
    expect(idsOf(text)).toEqual([1]);
    expect(text.match(/^data: /gm)).toHaveLength(1);
    expect(text).not.toMatch(/\r/);
  });

  it('shows that it lives, as long as its caller may be there, and no longer than an hour', async () => {
    let isKnown = true;
    const { listeners, rest } = open({
      recheck: () => {
        if (!isKnown) throw new PlexiError('UNAUTHENTICATED', 'expired');
      },
    });
    await vi.advanceTimersByTimeAsync(2_500);
    isKnown = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await rest()).match(/^: alive$/gm)).toHaveLength(2);
    expect(listeners.size).toBe(0);
    const old = open();
    await vi.advanceTimersByTimeAsync(10_000);
    await old.rest();
    expect(old.listeners.size).toBe(0);
  });

  it('ends for a client that does not read, which comes back for the rest', async () => {
    const { listeners, tell, rest } = open();
    await vi.advanceTimersByTimeAsync(0);
    for (let id = 1; id <= 200; id++) tell(notification(id));
    expect(listeners.size).toBe(0);
    expect(idsOf(await rest()).length).toBeLessThan(100);
  });

  it('ends when its client leaves, and when what was missed cannot be read', async () => {
    const left = open();
    await left.reader.cancel();
    await vi.advanceTimersByTimeAsync(0);
    expect(left.listeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    const failed = open({ missed: () => Promise.reject(new Error('no state')) });
    await failed.rest();
    expect(failed.listeners.size).toBe(0);
  });
});
