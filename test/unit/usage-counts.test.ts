import { expect, it } from 'vitest';
import { Quota } from '../../runtime/bridge/quota.ts';
import { createMetrics } from '../../runtime/observability/metrics.ts';

it('what is refunded is never more than was counted', () => {
  const quota = new Quota();
  quota.receive(10);
  quota.refund(512);
  expect(quota.totals.bytes).toBe(0);
});

it('one module with a strange count does not take the metrics of all others away', async () => {
  const metrics = createMetrics();
  const usage = { threads: 1, cpuMs: 1, heapBytes: 1, externalBytes: 1, delayMs: 0, calls: 1, bytes: -1, lines: 0 };
  metrics.watchUsage(() => [['demo', usage]]);
  const text = await metrics.scrape();
  expect(text).toContain('plexi_module_calls_total{module="demo"} 1');
  expect(text).toContain('plexi_module_sent_bytes_total{module="demo"} 0');
});
