/** Two hosts on one Redis: each event reaches every module, and each declared handler runs on one of them. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { missingRedis, type RedisServer, startRedis } from '../support/redis-server.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

if (missingRedis !== undefined) {
  if (process.env.CI) throw new Error(`The tests of events on Redis cannot run: ${missingRedis}`);
  console.warn(`Skipped: the tests of events on Redis. ${missingRedis}`);
}

const CONFIG = [
  'module_name: demo',
  'module_version: 1.0.0',
  'tasks: { enabled: false }',
  'security: { require_authentication: false, rate_limiting: false }',
  'optional_permissions: ["events:subscribe:user.*"]',
].join('\n');
const SOURCE = `
  import { BaseModule, moduleEndpoint, moduleEvent } from '@plexichat/sdk';
  export default class Demo extends BaseModule {
    declared = []; subscribed = [];
    @moduleEvent('user.login') @moduleEvent('module.demo.*') once(data) { this.declared.push(data); }
    async initialize() { await this.events.subscribe('user.*', (data, { source }) => void this.subscribed.push([data, source])); }
    @moduleEndpoint('GET /heard') heard() { return { declared: this.declared, subscribed: this.subscribed }; }
    @moduleEndpoint('POST /emit') emit() { return this.events.emit('module.demo.x', 'emitted'); }
  }`;

interface Heard {
  readonly declared: unknown[];
  readonly subscribed: unknown[];
}

// Each starts two hosts, or a server anew.
describe.skipIf(missingRedis !== undefined)('events on Redis', { timeout: 120_000 }, () => {
  let redis: RedisServer;
  let hosts: TestHost[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    await Promise.all(hosts.map((host) => host.close()));
    hosts = [];
  });
  afterAll(() => redis?.remove());

  async function start(prefix: string): Promise<readonly [TestHost, TestHost]> {
    const config = `redis: ${redis.url}\ntasks: { prefix: ${prefix} }\ngrants: { demo: ["events:subscribe:user.*"] }`;
    const files = { 'demo/config.yaml': CONFIG, 'demo/module.ts': SOURCE };
    const one = await startTestHost({ files, config, settings: { cells: '1' } });
    hosts.push(one);
    const two = await startTestHost({ files, config, settings: { cells: '1' } });
    hosts.push(two);
    return [one, two];
  }
  async function tell(at: TestHost, data: unknown): Promise<void> {
    const token = await at.token({ sub: 'chat', permissions: ['modules:manage'] });
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'user.login', data });
    expect((await at.fetch('/api/v1/events', { token, method: 'POST', headers, body })).status).toBe(202);
  }
  const heard = async (at: TestHost) => (await (await at.fetch('/api/v1/demo/heard')).json()) as Heard;
  /** Both are there for each other. */
  async function connected([one, two]: readonly [TestHost, TestHost]): Promise<void> {
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      await until(async () => {
        await tell(from, 'hello');
        return (await heard(to)).subscribed.length > 0;
      });
    }
  }

  it('a declared handler runs once, on one host; what a thread subscribed to comes to each thread', async () => {
    const both = await start('once');
    await connected(both);
    const [one, two] = both;
    for (let each = 0; each < 50; each++) await tell(each % 2 === 0 ? one : two, each);
    await one.fetch('/api/v1/demo/emit', { method: 'POST' });
    const numbers = (list: unknown[]) => list.filter((each) => typeof each === 'number').sort((a, b) => a - b);
    const all = Array.from({ length: 50 }, (_each, index) => index);
    await until(async () => {
      const [first, second] = [await heard(one), await heard(two)];
      return first.subscribed.length + second.subscribed.length >= 100;
    });
    await until(async () => {
      const declared = [...(await heard(one)).declared, ...(await heard(two)).declared];
      return numbers(declared).length >= 50 && declared.includes('emitted');
    });
    const [first, second] = [await heard(one), await heard(two)];
    expect(numbers([...first.declared, ...second.declared])).toEqual(all);
    expect([...first.declared, ...second.declared].filter((each) => each === 'emitted')).toHaveLength(1);
    for (const { subscribed } of [first, second]) {
      const pairs = subscribed as [unknown, string][];
      expect(numbers(pairs.map(([data]) => data))).toEqual(all);
      expect(pairs.every(([, source]) => source === 'chat-host')).toBe(true);
    }
  });

  it('a host without Redis serves its own modules, and finds the others again', async () => {
    const both = await start('outage');
    await connected(both);
    const [one, two] = both;
    await redis.stop('SIGKILL');
    await until(async () => {
      await tell(one, 'alone');
      return (await heard(one)).declared.includes('alone');
    });
    await redis.start();
    await until(async () => {
      await tell(one, 'together');
      return (await heard(two)).subscribed.some((each) => (each as unknown[])[0] === 'together');
    });
    expect((await heard(two)).subscribed.some((each) => (each as unknown[])[0] === 'alone')).toBe(false);
  });
});
