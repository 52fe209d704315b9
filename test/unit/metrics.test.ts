import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { metricsRoute } from '../../runtime/gateway/metrics-route.ts';
import { createMetrics } from '../../runtime/observability/metrics.ts';
import { boundedByKey, MAX_SERIES } from '../../runtime/observability/metrics-bound.ts';
import type { TaskMeter } from '../../runtime/tasks/task-desk.ts';
import { startCpuClock } from '../support/cpu-time.ts';
import { bearer, fakeGateway, fakeModule, jsonOf, OPEN } from '../support/fake-modules.ts';

/** The lines of one series, without HELP and TYPE. */
async function linesOf(metrics: { scrape(): Promise<string> }, name: string): Promise<string[]> {
  return (await metrics.scrape()).split('\n').filter((line) => line.startsWith(name));
}

describe('runs of tasks', () => {
  it('are counted by what came of them, with every outcome there from the first run on', async () => {
    const metrics = createMetrics();
    const meter: TaskMeter = metrics.taskMeter;
    meter.started('weather', 'refresh', 250);
    meter.ended('weather', 'refresh', 'completed', 1500);
    meter.ended('weather', 'refresh', 'timeout', 60_000);
    const runs = await linesOf(metrics, 'plexi_task_runs_total');
    expect(runs.sort()).toEqual([
      'plexi_task_runs_total{module="weather",task="refresh",outcome="completed"} 1',
      'plexi_task_runs_total{module="weather",task="refresh",outcome="failed"} 0',
      'plexi_task_runs_total{module="weather",task="refresh",outcome="interrupted"} 0',
      'plexi_task_runs_total{module="weather",task="refresh",outcome="retry"} 0',
      'plexi_task_runs_total{module="weather",task="refresh",outcome="skipped"} 0',
      'plexi_task_runs_total{module="weather",task="refresh",outcome="timeout"} 1',
    ]);
    expect(await linesOf(metrics, 'plexi_task_wait_seconds_sum')).toEqual([
      'plexi_task_wait_seconds_sum{module="weather"} 0.25',
    ]);
    expect(await linesOf(metrics, 'plexi_task_run_seconds_sum')).toEqual([
      'plexi_task_run_seconds_sum{module="weather"} 61.5',
    ]);
  });

  it('that were skipped took no time', async () => {
    const metrics = createMetrics();
    metrics.taskMeter.ended('weather', 'refresh', 'skipped', 0);
    expect(await linesOf(metrics, 'plexi_task_run_seconds_count')).toEqual([]);
  });

  it('of hosts whose clocks disagree count as no time, and never as an error', async () => {
    const metrics = createMetrics();
    for (const waitMs of [-5, Number.NaN, Number.POSITIVE_INFINITY]) metrics.taskMeter.started('a1', 't', waitMs);
    expect(await linesOf(metrics, 'plexi_task_wait_seconds_sum')).toEqual([
      'plexi_task_wait_seconds_sum{module="a1"} 0',
    ]);
  });

  it('of very many tasks end up in one series for the others', async () => {
    const metrics = createMetrics();
    for (let task = 0; task < 5000; task += 1) metrics.taskMeter.ended(`m${task}`, 'run', 'failed', 1);
    for (const name of ['plexi_task_runs_total', 'plexi_task_run_seconds']) {
      const lines = await linesOf(metrics, name);
      expect(lines.length).toBeLessThanOrEqual(MAX_SERIES);
      expect(lines.length).toBeGreaterThan(MAX_SERIES * 0.9);
    }
    const others = await linesOf(metrics, 'plexi_task_runs_total{module="other",task="other",outcome="failed"}');
    expect(others).toHaveLength(1);
    const all = await linesOf(metrics, 'plexi_task_runs_total');
    expect(all.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(5000);
  });
});

describe('requests to modules', () => {
  it('are counted by class of status, from the gateway', async () => {
    const metrics = createMetrics();
    const gateway = fakeGateway([fakeModule({ manifest: OPEN, endpoints: { 'GET /': {} } })], {
      onAnswer: metrics.meterRequest,
    });
    await gateway.request('/api/v1/demo');
    await gateway.request('/api/v1/demo', { method: 'POST' });
    await gateway.request('/api/v1/nobody');
    const counted = await linesOf(metrics, 'plexi_module_requests_total');
    expect(counted.filter((line) => !line.endsWith(' 0'))).toEqual([
      'plexi_module_requests_total{module="demo",status_class="2xx"} 1',
      'plexi_module_requests_total{module="-",status_class="4xx"} 2',
    ]);
    expect(await linesOf(metrics, 'plexi_module_request_seconds_count')).toContain(
      'plexi_module_request_seconds_count{module="demo"} 1',
    );
  });

  it('cost little', () => {
    const { meterRequest } = createMetrics();
    const answered = { module: 'weather', status: 200, durationMs: 3 };
    const best = Math.min(
      ...Array.from({ length: 5 }, () => {
        const spentMs = startCpuClock();
        for (let count = 0; count < 100_000; count += 1) meterRequest(answered);
        return spentMs() / 100_000;
      }),
    );
    // Half a microsecond is the aim; the bound here has room for a busy machine.
    expect(best * 1000).toBeLessThan(2);
  });
});

describe('the depth of the queue', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  const DEPTHS = [
    { module: 'weather', state: 'waiting', count: 3 },
    { module: 'weather', state: 'failed', count: 1 },
  ];

  it('is read when somebody scrapes, and by nothing else', async () => {
    const metrics = createMetrics();
    const read = vi.fn(async () => DEPTHS);
    metrics.watchDepths(read);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(read).not.toHaveBeenCalled();
    expect(await linesOf(metrics, 'plexi_task_queue_depth')).toEqual([
      'plexi_task_queue_depth{module="weather",state="waiting"} 3',
      'plexi_task_queue_depth{module="weather",state="failed"} 1',
    ]);
    expect(await linesOf(metrics, 'plexi_queue_up')).toEqual(['plexi_queue_up 1']);
  });

  it('is read once for scrapes that come together', async () => {
    const metrics = createMetrics();
    const read = vi.fn(async () => DEPTHS);
    metrics.watchDepths(read);
    await Promise.all([metrics.scrape(), metrics.scrape(), metrics.scrape()]);
    expect(read).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1500);
    await metrics.scrape();
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('is absent while the queue refuses, and back with it', async () => {
    const metrics = createMetrics();
    let broken = false;
    metrics.watchDepths(async () => {
      if (broken) throw new Error('connection refused');
      return DEPTHS;
    });
    await metrics.scrape();
    broken = true;
    await vi.advanceTimersByTimeAsync(1500);
    expect(await linesOf(metrics, 'plexi_queue_up')).toEqual(['plexi_queue_up 0']);
    expect(await linesOf(metrics, 'plexi_task_queue_depth')).toEqual([]);
    broken = false;
    await vi.advanceTimersByTimeAsync(1500);
    expect(await linesOf(metrics, 'plexi_queue_up')).toEqual(['plexi_queue_up 1']);
    expect(await linesOf(metrics, 'plexi_task_queue_depth')).toHaveLength(2);
  });

  it('keeps a scrape no longer than two seconds, and is asked for once while it hangs', async () => {
    const metrics = createMetrics();
    const read = vi.fn(() => new Promise<never>(() => {}));
    metrics.watchDepths(read);
    for (let scrape = 0; scrape < 3; scrape += 1) {
      const up = linesOf(metrics, 'plexi_queue_up');
      await vi.advanceTimersByTimeAsync(2000);
      expect(await up).toEqual(['plexi_queue_up 0']);
    }
    expect(read).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(30_000);
    const up = linesOf(metrics, 'plexi_queue_up');
    await vi.advanceTimersByTimeAsync(2000);
    expect(await up).toEqual(['plexi_queue_up 0']);
    expect(read).toHaveBeenCalledTimes(2);
  });
});

it('a bound shares what comes after it, and keeps what was there', () => {
  const make = vi.fn((key: string) => key);
  const of = boundedByKey(MAX_SERIES / 4, make, () => 'other');
  expect(['a', 'b', 'c', 'd', 'a', 'e'].map(of)).toEqual(['a', 'b', 'c', 'other', 'a', 'other']);
  expect(make).toHaveBeenCalledTimes(3);
});

describe('GET /metrics', () => {
  const metrics = createMetrics();
  const gatewayOf = (isPublic: boolean) =>
    fakeGateway([], {
      mount: (platform, { authenticate }) => platform.route('/', metricsRoute(metrics, authenticate, isPublic)),
    });

  it('is for operators', async () => {
    const gateway = gatewayOf(false);
    const nobody = await gateway.request('/metrics');
    expect(nobody.status).toBe(401);
    expect(nobody.headers.get('content-type')).toBe('application/problem+json');
    const caller = await gateway.request('/metrics', {
      headers: await bearer({ tier: 'admin', permissions: ['read'] }),
    });
    expect(caller.status).toBe(403);
    expect(await jsonOf(caller)).toMatchObject({ code: 'FORBIDDEN', detail: expect.stringContaining('modules:read') });
    for (const permission of ['modules:read', 'modules:manage']) {
      const operator = await gateway.request('/metrics', { headers: await bearer({ permissions: [permission] }) });
      expect(operator.status).toBe(200);
    }
  });

  it('is open to everybody only when its operator says so', async () => {
    expect((await gatewayOf(true).request('/metrics')).status).toBe(200);
  });

  it('is what Prometheus reads, with the process in it', async () => {
    const response = await gatewayOf(true).request('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^$|^# (?:HELP|TYPE) \w+ .+$|^\w+(?:\{(?:\w+="[^"\n]*",?)*\})? (?:[-+\d.e]+|Nan)$/);
    }
  });
});
