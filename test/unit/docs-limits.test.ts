/** runtime/docs/limits.md says what the code says. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT_REASONS } from '../../runtime/bridge/control.ts';
import {
  HARD_DELAY_MS,
  SOFT_DELAY_MS,
  SOFT_MEMORY,
  SOFT_MEMORY_MS,
  YOUNG_MS,
} from '../../runtime/cells/soft-limits.ts';
import { HostSettingsSchema } from '../../runtime/config/settings-schema.ts';
import { createMetrics } from '../../runtime/observability/metrics.ts';

const PAGE = readFileSync(new URL('../../runtime/docs/limits.md', import.meta.url), 'utf8');
const LINES = PAGE.split('\n');

describe('the page about limits', () => {
  it('names every setting of limits that it lists with its default', () => {
    const properties = HostSettingsSchema.properties.limits.properties as Record<string, { default?: unknown }>;
    const rows = LINES.flatMap((line) => /^\| `limits\.(\w+)`\s*\| `?(\w+)`?\s*\|/.exec(line)?.slice(1) ?? []);
    expect(rows.length).toBe(24);
    for (let at = 0; at < rows.length; at += 2) {
      expect(rows[at + 1]).toBe(String(properties[rows[at] ?? '']?.default ?? 'none'));
    }
  });

  it('names every reason for which a limit ends a thread, and no other', () => {
    const table = LINES.slice(
      LINES.findIndex((line) => line.startsWith('| meter')),
      LINES.indexOf('## Settings'),
    );
    const named = table
      .flatMap(
        (line) =>
          line
            .split('|')
            .at(-2)
            ?.match(/`(\w+)`/g) ?? [],
      )
      .map((word) => word.slice(1, -1));
    const noLimit = new Set(['terminated', 'exited', 'uncaught', 'failed']);
    expect(new Set(named)).toEqual(new Set(Object.keys(EXIT_REASONS).filter((reason) => !noLimit.has(reason))));
  });

  it('says the times and shares of the soft limits', () => {
    expect(PAGE).toContain(`${SOFT_MEMORY * 100} % of \`runtime.memory_mb\` for ${SOFT_MEMORY_MS / 1000} s`);
    expect(PAGE).toContain(`has not turned for ${SOFT_DELAY_MS / 1000} s`);
    expect(PAGE).toContain(`has not turned for ${HARD_DELAY_MS / 60_000} minutes`);
    expect(PAGE).toContain(`younger than ${YOUNG_MS / 1000} s`);
  });

  it('lists the series of modules that a scrape has', async () => {
    const metrics = createMetrics();
    metrics.watchUsage(() => [
      ['demo', { threads: 1, cpuMs: 1, heapBytes: 1, externalBytes: 1, delayMs: 1, calls: 1, bytes: 1, lines: 1 }],
    ]);
    metrics.threadMeter.ended('demo', 'heap');
    metrics.threadMeter.replaced('demo', 'delay');
    const scraped = new Set((await metrics.scrape()).match(/^plexi_module_\w+/gm));
    expect(new Set(PAGE.match(/(?<=\| `)plexi_module_\w+/g))).toEqual(scraped);
  });
});
