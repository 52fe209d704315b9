/** runtime/docs/logs.md and metrics.md say what the code says. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { HostSettingsSchema } from '../../runtime/config/settings-schema.ts';
import { STREAM_ENDS } from '../../runtime/management/event-stream.ts';
import { createMetrics } from '../../runtime/observability/metrics.ts';
import { plexi } from '../support/plexi.ts';

const page = (name: string): string => readFileSync(new URL(`../../runtime/docs/${name}`, import.meta.url), 'utf8');
const LOGS = page('logs.md');
const METRICS = page('metrics.md');
const firstCells = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, cell = '']) => cell);

it('every way in which a stream ends is named, and no other', () => {
  expect(firstCells(LOGS, /^\| `([a-z_]+)` /gm)).toEqual(Object.keys(STREAM_ENDS));
});

it('the settings of the trail have the defaults that the page says', () => {
  const properties = HostSettingsSchema.properties.audit.properties as Record<string, { default?: unknown }>;
  const rows = [...LOGS.matchAll(/^\| `audit\.(\w+)` +\| `(\d+)` /gm)].map(([, name = '', value = '']) => [
    name,
    Number(value),
  ]);
  expect(Object.fromEntries(rows)).toEqual({
    keep_days: properties.keep_days?.default,
    keep: properties.keep?.default,
  });
});

it('every command of the page is one', async () => {
  for (const command of firstCells(LOGS, /^plexi (.+)$/gm)) {
    const words = command.split(' ').filter((word) => !/^(weather|\d+|cli:ana|warn)$/.test(word));
    const options = words.filter((word) => word.startsWith('--'));
    const { output } = await plexi(...words.filter((word) => !word.startsWith('--')), '--help');
    for (const option of options) expect(output).toContain(option);
  }
});

it('every series of the page is scraped', async () => {
  const metrics = createMetrics();
  metrics.watchUsage(() => []);
  const scraped = await metrics.scrape();
  const names = firstCells(METRICS, /`(plexi_\w+)`/g);
  expect(names.length).toBeGreaterThan(12);
  for (const name of names) expect(scraped).toContain(`# TYPE ${name} `);
});
