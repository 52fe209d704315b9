/** What the pages tell people to copy: code compiles and runs, commands and settings exist, tables say what the code says. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { declareTask } from '@plexichat/sdk/module/declare-task';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import * as testing from '@plexichat/sdk/testing';
import { describe, expect, test } from 'vitest';
import { loadHostSettings } from '../../runtime/config/load-host-settings.ts';
import { HostSettingsSchema } from '../../runtime/config/settings-schema.ts';
import { createMetrics } from '../../runtime/observability/metrics.ts';
import { blocksOf, codeOf, inFolder, ROOT, runPage, tableOf, textOf } from '../support/pages.ts';
import { plexi } from '../support/plexi.ts';

const SDK_PAGE = 'sdk/docs/tasks.md';
const RUNTIME_PAGE = 'runtime/docs/tasks.md';

describe('code to copy', () => {
  test.each([SDK_PAGE, 'README.md'])('of %s has the right types', (page) => {
    inFolder(codeOf(page), (folder) => {
      const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
      expect(stdout).toBe('');
      expect(status).toBe(0);
    });
  });

  test(`of ${SDK_PAGE} names its file, so that one may import another`, () => {
    expect([...codeOf(SDK_PAGE).keys()]).toEqual(['module.ts', 'fan-out.ts', 'newsletter.test.ts']);
  });

  test.each([
    [SDK_PAGE, 'module.ts', ['sendWeekly', 'sendWelcome']],
    [SDK_PAGE, 'fan-out.ts', ['refreshAll', 'refreshOne']],
    ['README.md', 'block-2.ts', ['sweep']],
  ])('of %s is a module: %s', async (page, file, tasks) => {
    const { default: Module } = await runPage(codeOf(page), file, {});
    const harness = await testing.createModuleHarness(Module as never);
    expect(harness.declaration.tasks.map(({ name }) => name)).toEqual(tasks);
  });

  test(`of ${SDK_PAGE} that fans out enqueues one run for each picture`, async () => {
    const { default: Module } = await runPage(codeOf(SDK_PAGE), 'fan-out.ts', {});
    const harness = await testing.createModuleHarness(Module as never);
    const { ok, progress } = await harness.runTask('refreshAll');
    expect([ok, progress.length, progress.at(-1)?.percent]).toEqual([true, 3, 100]);
    expect(harness.enqueued.map(({ data }) => data)).toEqual([
      { picture: 'cat' },
      { picture: 'dog' },
      { picture: 'owl' },
    ]);
  });

  test(`of ${SDK_PAGE} that tests passes`, async () => {
    const tests = new Map<string, () => Promise<void>>();
    const it = (name: string, body: () => Promise<void>) => tests.set(name, body);
    await runPage(codeOf(SDK_PAGE), 'newsletter.test.ts', { it, expect });
    expect(tests.size).toBe(3);
    for (const body of tests.values()) await body();
  });
});

describe('commands to copy', () => {
  const commands = [
    RUNTIME_PAGE,
    'runtime/docs/isolation.md',
    'README.md',
    'examples/digest/README.md',
    'examples/cleanup/README.md',
  ].flatMap((page) =>
    blocksOf(page, 'sh')
      .flatMap((block) => block.split('\n'))
      .flatMap((line) => /(?:^|\s|\()(?:npx )?plexi ((?:tasks )?[a-z]+.*)$/.exec(line)?.slice(1, 2) ?? [])
      .map((command) => [page, command] as const),
  );

  test('are there', () => {
    expect(commands.length).toBeGreaterThan(8);
  });

  test.each(commands)('of %s exist: plexi %s', async (_page, command) => {
    const words = command.split(' ');
    const { code, output } = await plexi(...words.slice(0, words[0] === 'tasks' ? 2 : 1), '--help');
    expect(code).toBe(0);
    for (const flag of command.match(/--[a-z-]+/g) ?? []) expect(output).toContain(`${flag} `);
  });
});

describe(RUNTIME_PAGE, () => {
  const settings = blocksOf(RUNTIME_PAGE, 'yaml').filter((block) => block.startsWith('# plexi.yaml'));

  test.each(settings)('shows settings that a host takes: %s', (text) => {
    inFolder(new Map([['plexi.yaml', text]]), (folder) => {
      expect(() => loadHostSettings({ flags: {}, environment: {}, file: join(folder, 'plexi.yaml') })).not.toThrow();
    });
  });

  test('lists every setting of tasks with its default', () => {
    const properties = HostSettingsSchema.properties.tasks.properties as Record<string, { default?: unknown }>;
    const defaults = Object.entries(properties).map(([key, schema]) => [`\`${key}\``, `\`${String(schema.default)}\``]);
    expect(tableOf(RUNTIME_PAGE, 'key').map((row) => row.slice(0, 2))).toEqual(defaults);
  });

  test('names series that are there, in its table and in its alerts', async () => {
    const scrape = await scrapeAll();
    const named = new Set(textOf(RUNTIME_PAGE).match(/\bplexi_(?:task|queue)_\w+/g));
    expect(named.size).toBeGreaterThan(5);
    for (const name of named) expect(scrape).toMatch(new RegExp(`^${name}(?:\\{| )`, 'm'));
  });

  test('names lines that the host logs', () => {
    const code = ['tasks/queue-door.ts', 'tasks/count-failures.ts'].map((path) => textOf(`runtime/${path}`)).join('');
    for (const [line = ''] of tableOf(RUNTIME_PAGE, 'line')) expect(code).toContain(line.replace(/`|…/g, '').trim());
  });
});

test(`${SDK_PAGE} lists every option with its default`, () => {
  const manifest = { tasks: { schedule: 'THEIRS' } } as unknown as Manifest;
  const { name: _name, ...declared } = declareTask('demo', {}, manifest, 'Demo.demo');
  const defaults: Record<string, unknown> = { ...declared, schedule: 'tasks.schedule', timezone: 'tasks.timezone' };
  const listed = tableOf(SDK_PAGE, 'option').map(([option = '', value = '']) => [
    option.replaceAll('`', ''),
    /`([^`]+)`/.exec(value)?.[1],
  ]);
  expect(Object.fromEntries(listed)).toEqual(
    Object.fromEntries(Object.entries(defaults).map(([option, value]) => [option, String(value)])),
  );
});

async function scrapeAll(): Promise<string> {
  const metrics = createMetrics();
  metrics.watchDepths(async () => [{ module: 'demo', state: 'waiting', count: 1 }]);
  metrics.taskMeter.started('demo', 'one', 1);
  metrics.taskMeter.ended('demo', 'one', 'completed', 1);
  const scrape = await metrics.scrape();
  // A histogram is there by its own name in the page, and by its parts in a scrape.
  return scrape.replace(/^# TYPE (\w+) histogram$/gm, '$1 histogram');
}
