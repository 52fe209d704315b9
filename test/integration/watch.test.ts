import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvents } from '../support/read-events.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const CONFIG = `
module_name: noisy
module_version: 1.0.0
auto_load: true
runtime: { memory_mb: 32 }
optional_permissions: ['users:read']
security: { require_authentication: false, rate_limiting: false }
`;
const CODE = `
import { BaseModule, moduleEndpoint } from '@plexichat/sdk';
export default class Noisy extends BaseModule {
  @moduleEndpoint('GET /say') say() {
    this.logger.info('said', { city: 'Oslo' });
    this.logger.debug('whispered');
    return { ok: true };
  }
  @moduleEndpoint('GET /fail') fail() {
    throw new Error('no');
  }
  @moduleEndpoint('GET /flood') flood() {
    for (let line = 0; line < 400; line++) this.logger.error('flood ' + line);
    return { ok: true };
  }
  @moduleEndpoint('GET /burst') burst() {
    const kept = [];
    for (;;) kept.push(new Array(1e5).fill(kept.length));
  }
}
`;

let test: TestHost;
let read: { token: string };
let manage: { token: string };
beforeAll(async () => {
  test = await startTestHost({ files: { 'noisy/config.yaml': CONFIG, 'noisy/module.ts': CODE } });
  read = { token: await test.token({ sub: 'rita', permissions: ['modules:read'] }) };
  manage = { token: await test.token({ sub: 'olga', permissions: ['modules:manage'] }) };
});
afterAll(() => test?.close());

const jsonOf = async <Value>(path: string): Promise<Value> => (await test.fetch(path, read)).json() as Promise<Value>;
interface Lines {
  readonly lines: readonly {
    readonly source: string;
    readonly level: string;
    readonly message: string;
    readonly fields?: object;
  }[];
}
const logsOf = (query = '') => jsonOf<Lines>(`/api/v1/modules/noisy/logs${query}`);

describe('a module on a real host', () => {
  it('has its lines, and the host’s about it, behind one page', async () => {
    expect((await test.fetch('/api/v1/noisy/say')).status).toBe(200);
    await until(async () => (await logsOf()).lines.some(({ message }) => message === 'said'));
    const { lines } = await logsOf();
    expect(lines.find(({ message }) => message === 'said')).toMatchObject({
      source: 'module',
      level: 'info',
      fields: { city: 'Oslo' },
    });
    expect(lines.find(({ message }) => message === 'running')).toMatchObject({ source: 'host' });
  });

  it('is followed by its lines, its changes and its crash, and a flood hides none of what the host says', async () => {
    const lines = readEvents(await test.fetch('/api/v1/modules/noisy/logs?follow=true&limit=0', read));
    const life = readEvents(await test.fetch('/api/v1/modules?stream=true', read));
    await test.fetch('/api/v1/noisy/flood');
    await until(() => lines.events.some(({ data }) => String(data.message).startsWith('flood')));
    expect((await test.fetch('/api/v1/noisy/burst')).status).toBe(503);
    await until(() => life.events.some(({ data }) => data.to === 'crashed' || data.from === 'crashed'));
    await until(() => lines.events.some(({ data }) => data.source === 'host' && data.message === 'a thread ended'));
    await Promise.all([lines.cancel(), life.cancel()]);
    for (let more = 0; more < 5; more++) await test.fetch('/api/v1/noisy/flood').catch(() => {});
    expect((await logsOf('?level=warn&limit=1000')).lines.some(({ message }) => message === 'a thread ended')).toBe(
      true,
    );
    const { entries } = await jsonOf<{ entries: object[] }>('/api/v1/audit?module=noisy');
    expect(entries).toContainEqual(expect.objectContaining({ action: 'module.state', source: 'host', operator: null }));
  });

  it('has its figures, as JSON and for Prometheus', async () => {
    await test.fetch('/api/v1/noisy/say');
    await test.fetch('/api/v1/noisy/fail');
    const found = await jsonOf<Record<string, never>>('/api/v1/modules/noisy/metrics');
    expect(found).toMatchObject({
      module: 'noisy',
      requests: { statuses: { '2xx': expect.any(Number), '5xx': expect.any(Number) }, errors: { MODULE_ERROR: 1 } },
      usage: { threads: 1, host_calls: expect.any(Number) },
      restarts: { thread_ends: expect.any(Object) },
    });
    const { p50, p99 } = (found.requests as unknown as { latency_ms: Record<string, number> }).latency_ms;
    expect(p50).toBeLessThanOrEqual(p99 ?? 0);
    const scrape = await (await test.fetch('/metrics', read)).text();
    expect(scrape).toMatch(/plexi_module_errors_total\{module="noisy",blame="module"\} \d+/);
    expect(scrape).toContain('plexi_module_crashes_total{module="noisy"}');
  });

  it('what an operator did to it is in the trail, and on the disk', async () => {
    const body = JSON.stringify({ permissions: ['users:read'] });
    const headers = { 'content-type': 'application/json' };
    const granted = await test.fetch('/api/v1/modules/noisy/grant', { ...manage, method: 'POST', body, headers });
    expect(granted.status).toBe(200);
    const { entries } = await jsonOf<{ entries: object[] }>('/api/v1/audit?operator=olga');
    expect(entries).toMatchObject([
      { action: 'module.grant', outcome: 'done', details: { permissions: ['users:read'] } },
    ]);
  });

  it('whoever follows is told when the host ends', async () => {
    const lines = readEvents(await test.fetch('/api/v1/modules/noisy/logs?follow=true', read));
    const life = readEvents(await test.fetch('/api/v1/modules?stream=true', read));
    await until(() => lines.events.length > 0);
    await test.host.close();
    await until(() => lines.isOver() && life.isOver());
    for (const { events } of [lines, life]) expect(events.at(-1)).toMatchObject({ data: { code: 'host_ends' } });
  });
});
