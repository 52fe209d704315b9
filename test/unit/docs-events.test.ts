/** The pages about events and notifications: what they tell people to copy compiles and runs, their tables are the code's. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_EVENT_DATA, MAX_EVENT_HOPS, MAX_EVENT_NAME } from '@plexichat/sdk/protocol/event-names';
import { MAX_MESSAGE, MAX_TITLE, NOTIFICATION_TYPES } from '@plexichat/sdk/protocol/notification-limits';
import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it, test } from 'vitest';
import { HostSettingsSchema } from '../../runtime/config/settings-schema.ts';
import { createMetrics } from '../../runtime/observability/metrics.ts';
import { codeOf, inFolder, ROOT, runPage, textOf } from '../support/pages.ts';

const EVENTS = 'sdk/docs/events.md';
const NOTIFICATIONS = 'sdk/docs/notifications.md';
const OPERATORS = 'runtime/docs/events.md';

test.each([EVENTS, NOTIFICATIONS])('the code of %s has the right types', (page) => {
  inFolder(codeOf(page), (folder) => {
    const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });
});

test.each([
  [EVENTS, 'notes.test.ts', 2],
  [NOTIFICATIONS, 'invitations.test.ts', 1],
])('the tests of %s pass', async (page, file, count) => {
  const tests = new Map<string, () => Promise<void>>();
  await runPage(codeOf(page), file, { it: (name: string, body: () => Promise<void>) => tests.set(name, body), expect });
  expect(tests.size).toBe(count);
  for (const body of tests.values()) await body();
});

test(`the module of ${EVENTS} that listens at run time forgets`, async () => {
  const { default: Module } = await runPage(codeOf(EVENTS), 'settings-cache.ts', {});
  const harness = await createModuleHarness(Module as never);
  const module = harness.module as unknown as { isFilled: boolean; fill(settings: unknown): void };
  module.fill({});
  expect(module.isFilled).toBe(true);
  await harness.emit('module.settings.changed');
  expect(module.isFilled).toBe(false);
});

test('the limits are those of the code', () => {
  expect(textOf(EVENTS)).toContain(`at most ${MAX_EVENT_NAME}\ncharacters`);
  expect([MAX_EVENT_DATA, MAX_EVENT_HOPS]).toEqual([64 * 1024, 8]);
  const page = textOf(NOTIFICATIONS);
  expect(page).toContain(`1 to ${MAX_TITLE} characters`);
  expect(page).toContain(`at most ${MAX_MESSAGE.toLocaleString('en')} characters`);
  for (const type of NOTIFICATION_TYPES) expect(page).toContain(`\`${type}\``);
});

describe(OPERATORS, () => {
  const page = textOf(OPERATORS);

  it('lists every setting with its default', () => {
    const { events, notifications } = HostSettingsSchema.properties;
    const settings = Object.entries({ events, notifications }).flatMap(([section, { properties }]) =>
      Object.entries(properties as Record<string, { default?: unknown }>).map(([key, schema]) => [
        `${section}.${key}`,
        String(schema.default),
      ]),
    );
    const rows = [...page.matchAll(/^\| `((?:events|notifications)\.\w+)`\s*\| `(\w+)`\s*\|/gm)];
    expect(rows.map(([, key, value]) => [key, value])).toEqual(settings);
  });

  it('names the series, and every outcome, and no other', async () => {
    const metrics = createMetrics();
    metrics.eventMeter.settled('demo', 'delivered');
    metrics.eventMeter.emitted('demo');
    metrics.eventMeter.refused('demo', 'rate');
    const scrape = await metrics.scrape();
    const named = new Set(page.match(/\bplexi_event\w+/g));
    expect(named.size).toBe(3);
    for (const name of named) expect(scrape).toMatch(new RegExp(`^${name}\\{`, 'm'));
    const outcomes = [...scrape.matchAll(/plexi_event_deliveries_total\{module="demo",outcome="(\w+)"\}/g)];
    const rows = [...page.slice(page.indexOf('| outcome')).matchAll(/^\| `(\w+)`/gm)];
    expect(rows.map(([, name]) => name)).toEqual(outcomes.map(([, name]) => name));
  });

  it('names lines that the host logs', () => {
    const code = ['events/drop-words.ts', 'compose/events.ts']
      .map((file) => readFileSync(join(ROOT, 'runtime', file), 'utf8'))
      .join('');
    const lines = [...page.replaceAll('\n', ' ').matchAll(/`((?:a module|an event|events do)[^`]*)`/g)];
    expect(lines.length).toBe(5);
    for (const [, line = ''] of lines) expect(code).toContain(line);
  });
});
