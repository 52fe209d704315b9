import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { Quota } from '../../runtime/bridge/quota.ts';
import { createUsageSeries } from '../../runtime/observability/metrics-modules.ts';

it('what is refunded is never more than was counted', () => {
  const quota = new Quota();
  quota.receive(10);
  quota.refund(512);
  expect(quota.totals.bytes).toBe(0);
});

it('one module with a strange count does not take the metrics of all others away', () => {
  const registry = new Registry();
  const usage = { threads: 1, cpuMs: 1, heapBytes: 1, externalBytes: 1, delayMs: 0, calls: 1, bytes: -1, lines: 0 };
  const refresh = createUsageSeries(registry, () => [['demo', usage]]);
  expect(refresh).not.toThrow();
});
