import { type ErrorCode, PlexiError } from '@plexichat/sdk/protocol/errors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Problem } from '../../runtime/gateway/problem.ts';
import { serveGateway } from '../../runtime/gateway/serve.ts';
import type { AuditEntry } from '../../runtime/management/audit.ts';
import { mountManagement } from '../../runtime/management/mount.ts';
import { type FakeDesk, fakeDesk } from '../support/fake-desk.ts';
import { bearer, fakeGateway, jsonOf, type TokenClaims } from '../support/fake-modules.ts';
import { operatorDesks } from '../support/operator-desks.ts';

const RUN = '/api/v1/tasks/weather/refresh/run';
const PAUSE = '/api/v1/tasks/weather/refresh/pause';
const RESUME = '/api/v1/tasks/weather/refresh/resume';
const RUNS = '/api/v1/tasks/weather/refresh/runs';

let desk: FakeDesk;
let audited: AuditEntry[];
let failures: unknown[];
let gateway: ReturnType<typeof fakeGateway>;

beforeEach(async () => {
  desk = fakeDesk();
  const desks = await operatorDesks();
  audited = [];
  failures = [];
  gateway = fakeGateway([], {
    mount: (platform, tools) =>
      mountManagement(platform, tools, { ...desks, tasks: desk, audit: (entry) => void audited.push(entry) }),
    onError: (error) => void failures.push(error),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

async function as(claims: TokenClaims, path: string, init: RequestInit = {}): Promise<Response> {
  return gateway.request(path, { ...init, headers: { ...(init.headers as object), ...(await bearer(claims)) } });
}

const reader = (path: string, init?: RequestInit) => as({ sub: 'rita', permissions: ['modules:read'] }, path, init);
const operator = (path: string, init?: RequestInit) =>
  as({ sub: 'olga', jti: 'token-1', permissions: ['modules:manage'] }, path, init);
const post = (body?: string, type = 'application/json'): RequestInit =>
  body === undefined ? { method: 'POST' } : { method: 'POST', body, headers: { 'content-type': type } };

async function refused(asked: Promise<Response>, status: number, code: ErrorCode): Promise<Problem> {
  const response = await asked;
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = await jsonOf<Problem>(response);
  expect([response.status, problem.code], problem.detail).toEqual([status, code]);
  return problem;
}

describe('who may', () => {
  it.each([
    ['GET', '/api/v1/tasks'],
    ['GET', RUNS],
    ['POST', RUN],
    ['POST', PAUSE],
    ['POST', RESUME],
    ['DELETE', RUN],
  ])('%s %s asks who calls, and takes operators only', async (method, path) => {
    await refused(Promise.resolve(gateway.request(path, { method })), 401, 'UNAUTHENTICATED');
    const permissions = ['read', 'write', 'modules', 'modules:*', '*'];
    await refused(as({ tier: 'admin', permissions }, path, { method }), 403, 'FORBIDDEN');
    expect([desk.calls, audited]).toEqual([[], []]);
  });

  it.each([RUN, PAUSE, RESUME])('POST %s is not for those who may only read', async (path) => {
    const { detail } = await refused(reader(path, post()), 403, 'FORBIDDEN');
    expect(detail).toContain('modules:manage');
    expect([desk.calls, audited]).toEqual([[], []]);
  });

  it('who may manage may also read, whatever the tier', async () => {
    expect((await operator('/api/v1/tasks')).status).toBe(200);
    expect((await operator('/api/v1/modules')).status).toBe(200);
  });

  it('no answer is kept by anything in between', async () => {
    for (const response of [await reader('/api/v1/tasks'), await operator(RUN, post()), await operator(RUN)]) {
      expect(response.headers.get('cache-control')).toBe('no-store');
    }
  });

  it('an operator that asks too often is told when to come back, and others are not held up', async () => {
    let response = await operator(RESUME, post());
    expect(response.headers.get('ratelimit-policy')).toBe('"operator";q=120;w=60');
    for (let count = 1; count <= 120; count++) response = await operator(RESUME, post());
    await refused(Promise.resolve(response), 429, 'RATE_LIMITED');
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await as({ sub: 'oscar', permissions: ['modules:manage'] }, RESUME, post())).status).toBe(200);
    expect((await operator('/api/v1/tasks')).status).toBe(200);
  });
});

describe('GET /api/v1/tasks', () => {
  it('shows every task as the desk sees it', async () => {
    const response = await reader('/api/v1/tasks');
    expect(response.status).toBe(200);
    expect(await jsonOf(response)).toEqual({ tasks: desk.tasks });
  });

  it('shows those of one module', async () => {
    expect(await jsonOf(reader('/api/v1/tasks?module=cleanup'))).toEqual({ tasks: [desk.tasks[1]] });
    expect(await jsonOf(reader('/api/v1/tasks?module=nobody'))).toEqual({ tasks: [] });
  });

  it.each([
    ['?modul=weather', '/query/modul'],
    ['?module=', '/query/module'],
    ['?module=a&module=b', '/query/module'],
    ['?module=../etc', '/query/module'],
    ['?__proto__=1', '/query/__proto__'],
    ['?constructor=1', '/query/constructor'],
    ['?%zz', '/query'],
  ])('refuses %s and names the key', async (query, path) => {
    const { errors } = await refused(reader(`/api/v1/tasks${query}`), 422, 'INVALID_INPUT');
    expect(errors?.map((issue) => issue.path)).toContain(path);
  });
});

describe('GET runs', () => {
  it('answers the newest, 20 unless asked for more', async () => {
    expect(await jsonOf(reader(RUNS))).toEqual({ runs: desk.jobs });
    await reader(`${RUNS}?limit=200`);
    expect(desk.calls).toEqual([
      ['runs', 'weather', 'refresh', 20],
      ['runs', 'weather', 'refresh', 200],
    ]);
  });

  it.each(['0', '201', '-1', '1.5', 'many', '', '1e2x', '%00', '9'.repeat(400)])('refuses limit=%s', async (limit) => {
    const { errors } = await refused(reader(`${RUNS}?limit=${limit}`), 422, 'INVALID_INPUT');
    expect(errors?.[0]?.path).toBe('/query/limit');
    expect(desk.calls).toEqual([]);
  });

  it('says which tasks there are when there is no such task', async () => {
    const { detail } = await refused(reader('/api/v1/tasks/weather/nope/runs'), 404, 'NOT_FOUND');
    expect(detail).toContain('weather refresh');
  });
});

describe('POST run', () => {
  it('starts a run with the body as its data, and says where to look', async () => {
    const response = await operator(RUN, post('{"city":"Oslo","n":[1,null]}'));
    expect(response.status).toBe(202);
    expect(await jsonOf(response)).toEqual({ id: '42' });
    expect(response.headers.get('location')).toBe(RUNS);
    expect(desk.calls).toEqual([['run', 'weather', 'refresh', { city: 'Oslo', n: [1, null] }, 'olga']]);
  });

  it.each([
    ['no body', undefined],
    ['null', 'null'],
    ['blanks', ' \n'],
  ])('takes %s for no data', async (_name, body) => {
    expect((await operator(RUN, post(body))).status).toBe(202);
    expect(desk.calls).toEqual([['run', 'weather', 'refresh', null, 'olga']]);
  });

  it.each(['0', '"text"', '[]', 'false'])('takes any JSON value: %s', async (body) => {
    await operator(RUN, post(body));
    expect(desk.calls[0]?.[3]).toEqual(JSON.parse(body));
  });

  it('leaves an audit line: who, what, on which task', async () => {
    await operator(RUN, post('{}'));
    expect(audited).toEqual([
      {
        action: 'task.run',
        operator: 'olga',
        credential: 'token-1',
        module: 'weather',
        task: 'refresh',
        run: '42',
        outcome: 'done',
        requestId: expect.stringMatching(/^[\w-]{8,64}$/),
      },
    ]);
  });

  it.each([
    ['QUEUE_UNAVAILABLE', 503],
    ['INVALID_INPUT', 422],
  ] as const)('passes %s of the desk on, and audits it', async (code, status) => {
    desk.trouble = () => {
      throw new PlexiError(code, 'The desk says no.');
    };
    const { detail } = await refused(operator(RUN, post()), status, code);
    expect(detail).toBe('The desk says no.');
    expect(audited.map(({ outcome }) => outcome)).toEqual([code]);
  });

  it('hides what an unexpected error says, and audits it', async () => {
    desk.trouble = () => {
      throw new Error('password hunter2 at /srv/plexi');
    };
    expect(JSON.stringify(await refused(operator(RUN, post()), 500, 'INTERNAL'))).not.toContain('hunter2');
    expect(audited.map(({ outcome }) => outcome)).toEqual(['INTERNAL']);
  });

  it('does not wait for a queue that never answers', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    desk.trouble = () => new Promise(() => {});
    const asked = operator(RUN, post());
    await vi.waitFor(() => expect(desk.calls.length).toBe(1));
    await vi.advanceTimersByTimeAsync(12_000);
    await refused(asked, 503, 'QUEUE_UNAVAILABLE');
    expect(audited.map(({ outcome }) => outcome)).toEqual(['QUEUE_UNAVAILABLE']);
  });
});

describe('POST pause and resume', () => {
  it('answer the task as it is now, and are audited', async () => {
    expect(await jsonOf(operator(PAUSE, post('{"reason":" upstream is down "}')))).toMatchObject({
      task: 'refresh',
      state: 'paused',
      paused: { by: 'operator', reason: 'upstream is down' },
    });
    expect(await jsonOf(operator(RESUME, post()))).toEqual(desk.tasks[0]);
    expect(desk.calls).toEqual([
      ['pause', 'weather', 'refresh', 'olga', 'upstream is down'],
      ['resume', 'weather', 'refresh', 'olga'],
    ]);
    expect(audited).toMatchObject([
      { action: 'task.pause', reason: 'upstream is down', outcome: 'done' },
      { action: 'task.resume', outcome: 'done' },
    ]);
  });

  it.each([undefined, '{}'])('need no reason and no body: %s', async (body) => {
    expect((await operator(PAUSE, post(body))).status).toBe(200);
    expect((await operator(RESUME, post(body))).status).toBe(200);
    expect(desk.calls[0]?.[4]).toBe('');
  });

  it('take 300 characters of a reason', async () => {
    expect((await operator(PAUSE, post(JSON.stringify({ reason: 'é'.repeat(300) })))).status).toBe(200);
    const long = operator(PAUSE, post(JSON.stringify({ reason: 'x'.repeat(301) })));
    const { errors } = await refused(long, 422, 'INVALID_INPUT');
    expect(errors?.[0]?.path).toBe('/body/reason');
  });

  it.each([
    [PAUSE, '{"reasons":"x"}', '/body/reasons'],
    [PAUSE, '{"reason":7}', '/body/reason'],
    [PAUSE, '{"reason":null}', '/body/reason'],
    [PAUSE, '{"reason":"a\\u0000b"}', '/body/reason'],
    [PAUSE, '{"reason":"a\\u001b[31mb"}', '/body/reason'],
    [PAUSE, '{"reason":"a\\nb"}', '/body/reason'],
    [PAUSE, '{"__proto__":{"reason":"x"}}', '/body/__proto__'],
    [PAUSE, '{"constructor":1}', '/body/constructor'],
    [PAUSE, '[]', '/body'],
    [PAUSE, 'null', '/body'],
    [PAUSE, '"x"', '/body'],
    [RESUME, '{"reason":"x"}', '/body/reason'],
  ])('refuse %s %s and name the key', async (path, body, key) => {
    const { errors } = await refused(operator(path, post(body)), 422, 'INVALID_INPUT');
    expect(errors?.map((issue) => issue.path)).toContain(key);
    expect([desk.calls, audited]).toEqual([[], []]);
  });
});

describe('what nobody should send', () => {
  it.each([
    ['a body that is no JSON', post('{"a":'), 400, 'MALFORMED_BODY'],
    ['a body of another type', post('a=b', 'application/x-www-form-urlencoded'), 400, 'MALFORMED_BODY'],
    ['a text', post('{}', 'text/plain'), 400, 'MALFORMED_BODY'],
    ['another charset', post('{}', 'application/json; charset=utf-16'), 400, 'MALFORMED_BODY'],
    ['a megabyte', post(`"${'x'.repeat(1_000_000)}"`), 413, 'PAYLOAD_TOO_LARGE'],
    ['a deep nest', post('['.repeat(20_000) + ']'.repeat(20_000)), 422, 'INVALID_INPUT'],
  ] as const)('%s is refused at every action', async (_name, init, status, code) => {
    for (const path of [RUN, PAUSE, RESUME]) {
      const response = await operator(path, init);
      const problem = await jsonOf<Problem>(response);
      // A small text is enough for those who take only words.
      if (path !== RUN && code === 'INVALID_INPUT') expect([413, 422]).toContain(response.status);
      else expect([response.status, problem.code]).toEqual([status, code]);
    }
    expect([desk.calls, audited, failures]).toEqual([[], [], []]);
  });

  it.each([
    '/api/v1/tasks/..%2f..%2fmodules/refresh/runs',
    '/api/v1/tasks/weather/re%2Ffresh/runs',
    '/api/v1/tasks/%00/refresh/runs',
    '/api/v1/tasks/%zz/refresh/runs',
    '/api/v1/tasks/weather/%E2%80%AE/runs',
    '/api/v1/tasks/__proto__/constructor/runs',
    '/api/v1/tasks/Weather/refresh/runs',
    `/api/v1/tasks/weather/${'x'.repeat(5000)}/runs`,
    '/api/v1/tasks/weather%0a/refresh/runs',
    '/api/v1/tasks/weather',
    '/api/v1/tasks/weather/refresh',
    '/api/v1/tasks/weather/refresh/runs/more',
    '/api/v1/tasks/weather/refresh/start',
  ])('%s is not found, and the desk is not bothered', async (path) => {
    const { detail } = await refused(reader(path), 404, 'NOT_FOUND');
    expect(detail.length).toBeLessThan(path.length + 400);
    expect([desk.calls, failures]).toEqual([[], []]);
  });

  it.each([
    ['POST', '/api/v1/tasks', 'GET, HEAD'],
    ['DELETE', RUNS, 'GET, HEAD'],
    ['OPTIONS', RUNS, 'GET, HEAD'],
    ['GET', RUN, 'POST'],
    ['PUT', PAUSE, 'POST'],
    ['PATCH', RESUME, 'POST'],
  ])('%s %s answers 405 with what is allowed', async (method, path, allow) => {
    const response = await operator(path, { method });
    expect(response.headers.get('allow')).toBe(allow);
    await refused(Promise.resolve(response), 405, 'METHOD_NOT_ALLOWED');
  });

  it.each([RUN, PAUSE, RESUME])('a query at %s is refused', async (path) => {
    await refused(operator(`${path}?force=true`, post()), 422, 'INVALID_INPUT');
    expect(desk.calls).toEqual([]);
  });
});

describe('over a socket', () => {
  it('a chunked body that grows too large is cut off, and the host goes on', async () => {
    const server = await serveGateway(gateway, { host: '127.0.0.1', port: 0 });
    try {
      const headers = { ...(await bearer({ permissions: ['modules:manage'] })), 'content-type': 'application/json' };
      const chunk = new TextEncoder().encode('"'.padEnd(16_384, 'x'));
      let sent = 0;
      const body = new ReadableStream({
        pull(controller) {
          sent += 1;
          if (sent > 64) controller.close();
          else controller.enqueue(chunk);
        },
      });
      const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
      const status = await fetch(server.url + RUN, init).then(
        ({ status: answered }) => answered,
        () => 'cut',
      );
      expect([413, 'cut']).toContain(status);
      const small = await fetch(server.url + RUN, { method: 'POST', headers, body: '{"n":1}' });
      expect(small.status).toBe(202);
      expect(desk.calls).toEqual([['run', 'weather', 'refresh', { n: 1 }, 'alice']]);
    } finally {
      await server.close();
    }
  });
});
