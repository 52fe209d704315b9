import type { ErrorCode } from '@plexichat/sdk/protocol/errors';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Problem } from '../../runtime/gateway/problem.ts';
import { eventStream } from '../../runtime/management/event-stream.ts';
import { keepAudit } from '../../runtime/management/keep-audit.ts';
import { LifeEvents } from '../../runtime/management/life-events.ts';
import { mountManagement } from '../../runtime/management/mount.ts';
import { mountWatch } from '../../runtime/management/mount-watch.ts';
import { createMetrics } from '../../runtime/observability/metrics.ts';
import { ModuleLogs } from '../../runtime/observability/module-logs.ts';
import { AuditTrail } from '../../runtime/state/audit-trail.ts';
import { fakeDesk } from '../support/fake-desk.ts';
import { bearer, type FakeModule, fakeGateway, fakeModule, jsonOf, type TokenClaims } from '../support/fake-modules.ts';
import { type OperatorDesks, operatorDesks } from '../support/operator-desks.ts';
import { readEvents } from '../support/read-events.ts';
import { until } from '../support/until.ts';

const LOGS = '/api/v1/modules/weather/logs';
const METRICS = '/api/v1/modules/weather/metrics';
const LIFE = '/api/v1/modules?stream=true';
const AUDIT = '/api/v1/audit';
const KEY = '/api/v1/modules/weather/secrets/api_key';
const RUN = '/api/v1/tasks/weather/refresh/run';

let desks: OperatorDesks;
let weather: FakeModule;
let logs: ModuleLogs;
let trail: AuditTrail;
let life: LifeEvents;
let figures: ReturnType<typeof createMetrics>['modules'];
let printed: unknown[];
let unwritten: unknown[];
let desk: ReturnType<typeof fakeDesk>;
let gateway: ReturnType<typeof fakeGateway>;

beforeEach(async () => {
  weather = fakeModule({
    name: 'weather',
    manifest: { settings_schema: { properties: { api_key: { type: 'string', writeOnly: true } } } },
  });
  desks = await operatorDesks({ modules: [weather] });
  logs = new ModuleLogs();
  figures = createMetrics().modules;
  [printed, unwritten] = [[], []];
  desk = fakeDesk();
  trail = new AuditTrail({ state: desks.state, onFailure: () => {} });
  const { audit, actorOn } = keepAudit({
    trail,
    log: (entry) => void printed.push(entry),
    logUnwritten: (attempt) => void unwritten.push(attempt),
  });
  life = new LifeEvents({ trail, actorOn });
  desks.registry.onChange((module, from) => life.note(module, from));
  const usageOf = () => ({
    threads: 2,
    cpuMs: 12.4,
    heapBytes: 3 * 1024 * 1024,
    externalBytes: 0,
    delayMs: 1,
    calls: 7,
    bytes: 8,
    lines: 9,
  });
  gateway = fakeGateway([], {
    mount(platform, tools) {
      mountWatch(platform, tools, { trail, life, logs, figures, usageOf, modules: desks.modules });
      mountManagement(platform, tools, { ...desks, tasks: desk, audit });
    },
  });
});

async function as(claims: TokenClaims, path: string, init: RequestInit = {}): Promise<Response> {
  return gateway.request(path, { ...init, headers: { ...(init.headers as object), ...(await bearer(claims)) } });
}
const reader = (path: string, init?: RequestInit) => as({ sub: 'rita', permissions: ['modules:read'] }, path, init);
const operator = (path: string, init?: RequestInit) =>
  as({ sub: 'olga', jti: 'token-1', permissions: ['modules:manage'] }, path, init);
const put = (value: unknown): RequestInit => ({
  method: 'PUT',
  body: JSON.stringify({ value }),
  headers: { 'content-type': 'application/json' },
});

async function refused(asked: Promise<Response>, status: number, code: ErrorCode): Promise<Problem> {
  const response = await asked;
  const problem = await jsonOf<Problem>(response);
  expect([response.status, problem.code], problem.detail).toEqual([status, code]);
  return problem;
}

interface Line {
  readonly id: number;
  readonly message: string;
}
interface Entry {
  readonly id: number;
  readonly action: string;
  readonly source: string;
  readonly operator: string | null;
  readonly outcome: string;
  readonly details: Record<string, unknown>;
}
const entries = async (query = ''): Promise<readonly Entry[]> =>
  (await jsonOf<{ entries: Entry[] }>(await reader(`${AUDIT}${query}`))).entries;

describe('who may', () => {
  it.each([LOGS, `${LOGS}?follow=true`, METRICS, LIFE, AUDIT])(
    'GET %s takes operators only, and is kept by nobody',
    async (path) => {
      await refused(Promise.resolve(gateway.request(path)), 401, 'UNAUTHENTICATED');
      await refused(as({ tier: 'admin', permissions: ['read', '*', 'modules:*'] }, path), 403, 'FORBIDDEN');
      const response = await reader(path);
      expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
      await response.body?.cancel();
    },
  );

  it.each([LOGS, METRICS, AUDIT])('%s says which methods it knows', async (path) => {
    const response = await operator(path, { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('the list of modules is what it was', async () => {
    expect(await jsonOf(await reader('/api/v1/modules'))).toMatchObject({ modules: [{ name: 'weather' }] });
    await refused(reader('/api/v1/modules?stream=false'), 422, 'INVALID_INPUT');
  });
});

describe('logs', () => {
  it('come in pages, newest first, with whose words they are', async () => {
    for (const message of ['a', 'b', 'c']) logs.write('weather', 'module', 'info', message);
    logs.write('weather', 'host', 'warn', 'a thread ended', '{"reason":"oom"}');
    const first = await jsonOf<{ lines: Line[]; next: number }>(await reader(`${LOGS}?limit=2`));
    expect(first.lines).toMatchObject([
      { level: 'warn', source: 'host', message: 'a thread ended', fields: { reason: 'oom' } },
      { level: 'info', source: 'module', message: 'c' },
    ]);
    const rest = await jsonOf<{ lines: Line[]; next: null }>(await reader(`${LOGS}?before=${first.next}`));
    expect([rest.lines.map(({ message }) => message), rest.next]).toEqual([['b', 'a'], null]);
    expect(await jsonOf(await reader(`${LOGS}?level=warn`))).toMatchObject({ lines: [{ message: 'a thread ended' }] });
  });

  it.each([
    '?level=loud',
    '?limit=5000',
    '?before=0',
    '?what=1',
    '?follow=true&before=3',
    '?limit=1&limit=2',
    '?level=__proto__',
  ])('refuse %s and say why', async (query) => {
    const { errors } = await refused(reader(`${LOGS}${query}`), 422, 'INVALID_INPUT');
    expect(errors).not.toEqual([]);
  });

  it('of what was never here are not found, and of a module that is gone are still there', async () => {
    await refused(reader('/api/v1/modules/nobody/logs'), 404, 'NOT_FOUND');
    await refused(reader('/api/v1/modules/..%2fx/logs'), 400, 'MALFORMED_PATH' as ErrorCode).catch(() => {});
    logs.write('gone', 'host', 'warn', 'last words');
    expect(await jsonOf(await reader('/api/v1/modules/gone/logs'))).toMatchObject({
      lines: [{ message: 'last words' }],
    });
  });

  it('are followed: what was there, then what comes, of the level that was asked for', async () => {
    logs.write('weather', 'module', 'warn', 'before');
    const { events, isOver } = readEvents(await reader(`${LOGS}?follow=true&level=warn`));
    await until(() => events.length === 1);
    logs.write('weather', 'module', 'debug', 'not wanted');
    logs.write('weather', 'module', 'error', 'line\nbreak\u2028');
    logs.write('mail', 'module', 'error', 'of another');
    await until(() => events.length === 2);
    expect(events.map(({ event, data }) => [event, data.message])).toEqual([
      ['line', 'before'],
      ['line', 'line\nbreak\u2028'],
    ]);
    logs.close();
    await until(isOver);
    expect(events.at(-1)).toMatchObject({ event: 'end', data: { code: 'host_ends' } });
  });

  it('are followed on where a client left off', async () => {
    for (const message of ['a', 'b', 'c']) logs.write('weather', 'module', 'info', message);
    const [, b] = logs.list('weather', { limit: 9 });
    const { events, cancel } = readEvents(
      await reader(`${LOGS}?follow=true`, { headers: { 'last-event-id': String(b?.id) } }),
    );
    await until(() => events.length > 0);
    expect(events.map(({ data }) => data.message)).toEqual(['c']);
    await cancel();
  });

  it('a reader that does not read is dropped with a word, and costs bounded memory', async () => {
    const response = await reader(`${LOGS}?follow=true`);
    for (let line = 0; line < 2_000; line++) logs.write('weather', 'module', 'info', 'x'.repeat(1_000));
    const { events, isOver } = readEvents(response);
    await until(isOver);
    expect(events.length).toBeLessThan(600);
    expect(events.at(-1)).toMatchObject({ event: 'end', data: { code: 'too_slow' } });
  });

  it('are followed by so many of one operator and no more, and a place is free again afterwards', async () => {
    const open = await Promise.all(Array.from({ length: 10 }, () => reader(`${LOGS}?follow=true`)));
    const { status, headers } = await reader(LIFE);
    expect([status, headers.get('retry-after')]).toEqual([429, '5']);
    const other = await operator(`${LOGS}?follow=true`);
    expect(other.status).toBe(200);
    await other.body?.cancel();
    await open[0]?.body?.cancel();
    const again = await reader(LIFE);
    expect(again.status).toBe(200);
    for (const response of [...open.slice(1), again]) await response.body?.cancel();
    expect((await reader(`${LOGS}?follow=true`, { method: 'HEAD' })).body).toBeNull();
  });

  it('a stream ends when its credential is no good any more', async () => {
    let isGood = true;
    const stream = eventStream<never>({
      listen: () => () => {},
      missed: [],
      view: () => ({ id: 1, event: 'x', data: 1 }),
      recheck: async () => {
        if (!isGood) throw new Error('expired');
      },
      onClose: () => {},
      heartbeatMs: 5,
    });
    const { events, comments, isOver } = readEvents(new Response(stream));
    await until(() => comments.length > 1);
    isGood = false;
    await until(isOver);
    expect(events).toMatchObject([{ event: 'end', data: { code: 'not_allowed' } }]);
  });
});

describe('changes of modules', () => {
  it('are told as they come, and each is an entry of the audit trail by the host', async () => {
    const { events, cancel } = readEvents(await reader(LIFE));
    weather.state = 'crashed';
    desks.registry.changed(weather, 'running');
    desks.registry.add(fakeModule({ name: 'mail', state: 'sleeping' }));
    await until(() => events.length === 2);
    expect(events).toMatchObject([
      {
        event: 'module',
        data: { module: 'weather', from: 'running', to: 'crashed', reasons: ['for operators only'], operator: null },
      },
      { event: 'module', data: { module: 'mail', version: '1.0.0', from: null, to: 'sleeping' } },
    ]);
    await cancel();
    expect(await entries('?module=weather')).toMatchObject([
      {
        action: 'module.state',
        source: 'host',
        operator: null,
        outcome: 'done',
        details: { from: 'running', to: 'crashed' },
      },
    ]);
    const missed = readEvents(
      await reader(`${LIFE}&module=mail`, { headers: { 'last-event-id': events[0]?.id ?? '' } }),
    );
    await until(() => missed.events.length === 1);
    expect(missed.events[0]).toMatchObject({ data: { module: 'mail' } });
    life.close();
    await until(missed.isOver);
  });

  it('say who asked for them; a crash is nobody’s, whoever acts meanwhile', async () => {
    const { events, cancel } = readEvents(await reader(LIFE));
    desk.trouble = () => {
      desks.registry.changed(Object.assign(weather, { state: 'stopped' }), 'running');
      desks.registry.changed(Object.assign(weather, { state: 'crashed' }), 'stopped');
    };
    expect((await operator(RUN, { method: 'POST' })).status).toBe(202);
    desks.registry.changed(Object.assign(weather, { state: 'running' }), 'crashed');
    await until(() => events.length === 3);
    expect(events.map(({ data }) => [data.to, data.operator])).toEqual([
      ['stopped', 'olga'],
      ['crashed', null],
      ['running', null],
    ]);
    await cancel();
  });
});

describe('the audit trail', () => {
  it('has an entry for what an operator did, with the credential and without the secret', async () => {
    expect((await operator(KEY, put('hunter2-secret'))).status).toBe(200);
    const [entry, ...others] = await entries('?operator=olga');
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      action: 'secret.set',
      source: 'operator',
      module: 'weather',
      outcome: 'done',
      details: { credential: 'token-1', setting: 'api_key' },
    });
    expect(desks.state.dump()).not.toContain('hunter2');
    expect(JSON.stringify(printed)).not.toContain('hunter2');
    expect(printed).toHaveLength(1);
  });

  it('has what was refused or failed too', async () => {
    await refused(operator('/api/v1/modules/weather/secrets/unknown', put('x'.repeat(9))), 404, 'NOT_FOUND');
    expect(await entries()).toMatchObject([
      { action: 'secret.set', outcome: 'NOT_FOUND', details: { setting: 'unknown' } },
    ]);
  });

  it('nothing is done that it could not be told before', async () => {
    desks.state.isAway = true;
    await refused(operator(RUN, { method: 'POST' }), 503, 'STATE_UNAVAILABLE');
    expect([desk.calls, printed]).toEqual([[], []]);
  });

  it('what takes power away is done all the same, logged at once, and written as soon as it can be', async () => {
    const pause = '/api/v1/tasks/weather/refresh/pause';
    desks.state.isAway = true;
    const body = { method: 'POST', body: '{"reason":"loop"}', headers: { 'content-type': 'application/json' } };
    expect((await operator(pause, body)).status).toBe(200);
    expect(desk.calls).toHaveLength(1);
    expect(unwritten).toMatchObject([{ action: 'task.pause', module: 'weather', operator: 'olga' }]);
    expect(printed).toMatchObject([{ action: 'task.pause', outcome: 'done' }]);
    await refused(operator('/api/v1/tasks/weather/refresh/resume', { method: 'POST' }), 503, 'STATE_UNAVAILABLE');
    expect(desk.calls).toHaveLength(1);
    desks.state.isAway = false;
    expect(await entries('?module=weather')).toMatchObject([
      { action: 'task.pause', operator: 'olga', outcome: 'done', source: 'operator', details: { reason: 'loop' } },
    ]);
  });

  it('a grant is taken back while nothing can be written', async () => {
    const asks = fakeModule({ name: 'mail', manifest: { required_permissions: ['storage:large'] } });
    await desks.grants.admit(asks.manifest);
    desks.registry.add(asks);
    await desks.modules.grant('mail', ['storage:large'], 'olga');
    expect(desks.grants.missing(asks.manifest)).toEqual([]);
    desks.state.isAway = true;
    const body = {
      method: 'POST',
      body: '{"revoke":["storage:large"]}',
      headers: { 'content-type': 'application/json' },
    };
    await refused(operator('/api/v1/modules/mail/grant', body), 503, 'STATE_UNAVAILABLE');
    expect(desks.grants.missing(asks.manifest)).toHaveLength(1);
    desks.state.isAway = false;
    expect(await entries('?module=mail&operator=olga')).toMatchObject([
      { action: 'module.revoke', outcome: 'STATE_UNAVAILABLE' },
    ]);
  });

  it('nothing is reported as done when it could not be told after, and it says so as soon as it can', async () => {
    const { run } = desk;
    desk.run = async (...args) => {
      const outcome = await run.apply(desk, args);
      desks.state.isAway = true;
      return outcome;
    };
    const { detail } = await refused(operator(RUN, { method: 'POST' }), 503, 'STATE_UNAVAILABLE');
    expect(detail).toContain('was carried out');
    desks.state.isAway = false;
    expect(await entries()).toMatchObject([{ action: 'task.run', outcome: 'done' }]);
  });

  it.each(['?limit=0', '?limit=900', '?before=x', '?module=NO!', '?operator=', '?from=1'])(
    'refuses %s',
    async (query) => {
      await refused(reader(`${AUDIT}${query}`), 422, 'INVALID_INPUT');
    },
  );

  it('is not for changing', async () => {
    await refused(operator(AUDIT, { method: 'POST' }), 405, 'METHOD_NOT_ALLOWED');
  });
});

describe('metrics of a module', () => {
  it('say what it did, and what it costs', async () => {
    for (const status of [200, 200, 404, 504]) {
      figures.answered({ module: 'weather', status, durationMs: 10 });
    }
    figures.taskStarted('weather', 40);
    figures.taskEnded('weather', 'completed', 20);
    figures.transferred('weather', 'sent', 100);
    figures.threadEnded('weather', 'heap');
    figures.crashed('weather');
    const found = await jsonOf<Record<string, unknown>>(await reader(METRICS));
    expect(found).toMatchObject({
      module: 'weather',
      version: '1.0.0',
      state: 'running',
      under_way: 0,
      requests: { total: 4, statuses: { '2xx': 2, '4xx': 1, '5xx': 1 }, latency_ms: { count: 4 } },
      usage: { threads: 2, cpu_ms: 12, memory_mb: 3, host_calls: 7 },
      tasks: { runs: { completed: 1 }, wait_ms: { count: 1 } },
      egress: { sent_bytes: 100, received_bytes: 0 },
      restarts: { crashes: 1, thread_ends: { heap: 1 } },
    });
    await refused(reader('/api/v1/modules/nobody/metrics'), 404, 'NOT_FOUND');
    await refused(reader(`${METRICS}?x=1`), 422, 'INVALID_INPUT');
  });
});
