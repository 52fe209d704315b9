/** What an instance uses is measured and bounded: real threads in real cells. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CellRoom, openCellRoom } from '../support/cell-room.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

let room: CellRoom;
beforeAll(async () => {
  room = await openCellRoom();
});
afterAll(() => room.close());

const BURN = `const burn = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };`;
const outcome = (call: Promise<unknown>): Promise<unknown> => call.catch((error: { code?: string }) => error.code);

describe('what an instance has used', () => {
  it('is known to the host: processor, heap, buffers, calls, bytes, lines', async () => {
    const guest = await room.boot(
      `
      async onwork() {
        this.kept = new Uint8Array(20 * 1024 * 1024);
        this.list = Array.from({ length: 200000 }, (_, at) => ({ at }));
        for (let line = 0; line < 7; line++) this.logger.info('line');
        await this.http.fetch('https://example.com/').catch(() => {});
        return {};
      }
      onburn() { burn(100); return {}; }`,
      { before: BURN },
    );
    await guest.json('work');
    await until(async () => {
      await guest.json('burn');
      return guest.instance.usage.cpuMs > 200 && guest.instance.usage.externalBytes > 20e6;
    });
    const { heapBytes, calls, bytes, lines } = guest.instance.usage;
    expect(heapBytes).toBeGreaterThan(5e6);
    expect(calls).toBeGreaterThanOrEqual(2);
    expect(bytes).toBeGreaterThan(100);
    expect(lines).toBe(7);
  });

  it('includes for how long its event loop has not turned', async () => {
    const guest = await room.boot(`onblock() { burn(1500); return {}; }`, { before: BURN });
    const call = guest.json('block');
    await until(() => guest.instance.usage.delayMs > 500);
    expect(await call).toEqual({});
  });
});

describe('a budget of processor time', () => {
  it('ends a request that has used it up, and the thread when it does not yield', async () => {
    const guest = await room.boot(`onloop() { for (;;); } onhello() { return { hello: 1 }; }`, { cpuMs: 200 });
    const failure = await guest.json('loop', 30_000).catch((error: Error) => error);
    expect(String(failure)).toMatch(/used \d+ ms of processor time, its budget is 200 ms \(runtime\.cpu_ms\)/);
    expect(await guest.exit).toMatchObject({ reason: 'cpu_budget' });
  });

  it('aborts the signal of one that yields, and its thread goes on', async () => {
    const guest = await room.boot(
      `
      async onwork({ signal }) {
        while (!signal.aborted) { burn(20); await new Promise((resolve) => setTimeout(resolve, 1)); }
        this.aborted = true;
        return {};
      }
      onhello() { return { aborted: this.aborted }; }`,
      { before: BURN, cpuMs: 200 },
    );
    expect(await outcome(guest.json('work', 30_000))).toBe('MODULE_TIMEOUT');
    await until(async () => (await guest.json<{ aborted?: boolean }>('hello')).aborted === true);
    expect(guest.instance.alive).toBe(true);
  });

  it('is not used up by waiting', async () => {
    const guest = await room.boot(
      `async onwait() { await new Promise((resolve) => setTimeout(resolve, 1500)); return { waited: 1 }; }`,
      { cpuMs: 200 },
    );
    expect(await guest.json('wait')).toEqual({ waited: 1 });
  });
});

describe('a thread that keeps the event loop to itself', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await startTestHost({
      files: {
        'hog/config.yaml': 'module_name: hog\nmodule_version: 1.0.0\nruntime: { timeout: 20, cpu_ms: 60000 }\n',
        'hog/module.ts': `
          import { BaseModule } from '@plexichat/sdk';
          export default class Hog extends BaseModule {
            override setupRoutes() {
              this.router.get('/hog', { permissions: [] }, () => {
                const end = Date.now() + 9000;
                while (Date.now() < end);
                return { late: true };
              });
              this.router.get('/hello', { permissions: [] }, () => ({ hello: 1 }));
            }
          }`,
      },
    });
  });
  afterAll(() => host?.close());

  it('is replaced: others are served by a new one, and what it does comes to its end', async () => {
    const long = host.fetch('/api/v1/hog/hog');
    let isLongOver = false;
    void long.then(() => {
      isLongOver = true;
    });
    await until(() => host.lines.some(({ msg }) => /^a thread is replaced: its event loop/.test(msg)));
    expect((await host.fetch('/api/v1/hog/hello')).status).toBe(200);
    expect(isLongOver).toBe(false);
    expect(await (await long).json()).toEqual({ late: true });
    const [module] = host.host.registry.list();
    expect(module?.state).toBe('running');
    expect(module?.reasons).toEqual([]);
    const metrics = await host.fetch('/metrics', { token: await host.token({ permissions: ['modules:read'] }) });
    const text = await metrics.text();
    expect(text).toContain('plexi_module_threads_replaced_total{module="hog",limit="delay"} 1');
    expect(Number(/plexi_module_cpu_seconds_total\{module="hog"\} (\S+)/.exec(text)?.[1])).toBeGreaterThan(2);
  });
});
