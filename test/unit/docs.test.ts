/** What the pages tell people to copy: code compiles and runs, commands and settings exist, tables say what the code says. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as sdk from '@plexichat/sdk';
import { declareTask } from '@plexichat/sdk/module/declare-task';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import * as testing from '@plexichat/sdk/testing';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { loadHostSettings } from '../../runtime/config/load-host-settings.ts';
import { HostSettingsSchema } from '../../runtime/config/settings-schema.ts';
import { createMetrics } from '../../runtime/observability/metrics.ts';
import { plexi } from '../support/plexi.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
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
    const { default: Module } = await run(codeOf(page), file, {});
    const harness = await testing.createModuleHarness(Module as never);
    expect(harness.declaration.tasks.map(({ name }) => name)).toEqual(tasks);
  });

  test(`of ${SDK_PAGE} that fans out enqueues one run for each picture`, async () => {
    const { default: Module } = await run(codeOf(SDK_PAGE), 'fan-out.ts', {});
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
    await run(codeOf(SDK_PAGE), 'newsletter.test.ts', { it, expect });
    expect(tests.size).toBe(3);
    for (const body of tests.values()) await body();
  });
});

describe('commands to copy', () => {
  const commands = [RUNTIME_PAGE, 'runtime/docs/isolation.md', 'README.md', 'examples/digest/README.md'].flatMap(
    (page) =>
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
    const named = new Set(text(RUNTIME_PAGE).match(/\bplexi_(?:task|queue)_\w+/g));
    expect(named.size).toBeGreaterThan(5);
    for (const name of named) expect(scrape).toMatch(new RegExp(`^${name}(?:\\{| )`, 'm'));
  });

  test('names lines that the host logs', () => {
    const code = ['tasks/queue-door.ts', 'tasks/count-failures.ts'].map((path) => text(`runtime/${path}`)).join('');
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

function text(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function blocksOf(page: string, language: string): string[] {
  const blocks = text(page).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'));
  return [...blocks].map(([, block = '']) => block);
}

/** File → code. A block that begins with a comment of one file name is that file. */
function codeOf(page: string): Map<string, string> {
  const named = blocksOf(page, 'ts').map((block, index) => {
    const name = /^\/\/ (\S+\.ts)\n/.exec(block)?.[1];
    return [name ?? `block-${index + 1}.ts`, block] as const;
  });
  return new Map(named);
}

/** The rows of the table whose first column is called so. */
function tableOf(page: string, first: string): string[][] {
  const lines = text(page).split('\n');
  const start = lines.findIndex((line) => new RegExp(`^\\| ${first} +\\|`).test(line)) + 2;
  const end = lines.findIndex((line, index) => index >= start && !line.startsWith('|'));
  return lines.slice(start, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

async function scrapeAll(): Promise<string> {
  const metrics = createMetrics();
  metrics.watchDepths(async () => [{ module: 'demo', state: 'waiting', count: 1 }]);
  metrics.taskMeter.started('demo', 'one', 1);
  metrics.taskMeter.ended('demo', 'one', 'completed', 1);
  const scrape = await metrics.scrape();
  // A histogram is there by its own name in the page, and by its parts in a scrape.
  return scrape.replace(/^# TYPE (\w+) histogram$/gm, '$1 histogram');
}

/** Writes the files where imports are found as they are in this repository. */
function inFolder<Result>(files: ReadonlyMap<string, string>, use: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'plexi-docs-'));
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(ROOT, 'examples/tsconfig.json'), include: ['*.ts'], exclude: [] }),
    );
    for (const [name, content] of files) writeFileSync(join(folder, name), content);
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The exports of one of the files, as they would be in a project of an author's. */
async function run(files: ReadonlyMap<string, string>, entry: string, vitest: object): Promise<{ default: unknown }> {
  const code = await bundle(files, entry);
  const module = { exports: {} as { default: unknown } };
  const known: Record<string, unknown> = { '@plexichat/sdk': sdk, '@plexichat/sdk/testing': testing, vitest };
  new Function('require', 'module', 'exports', code)((name: string) => known[name], module, module.exports);
  return module.exports;
}

async function bundle(files: ReadonlyMap<string, string>, entry: string): Promise<string> {
  const result = await build({
    stdin: { contents: files.get(entry) ?? '', loader: 'ts', resolveDir: ROOT },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'neutral',
    target: 'es2022',
    external: ['@plexichat/sdk', '@plexichat/sdk/testing', 'vitest'],
    plugins: [
      {
        name: 'files-of-the-page',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^\.\// }, ({ path }) => ({ path: path.slice(2), namespace: 'page' }));
          onLoad({ filter: /./, namespace: 'page' }, ({ path }) => ({ contents: files.get(path) ?? '', loader: 'ts' }));
        },
      },
    ],
  });
  return result.outputFiles[0]?.text ?? '';
}
