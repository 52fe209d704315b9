/** What the page about settings says is what the code does. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MAX_MATCHED_TEXT } from '../../runtime/config/matched-texts.ts';
import { MAX_SECRET } from '../../runtime/modules/secret-settings.ts';
import { MAX_DEPTH, MAX_SETTING_TEXT, MAX_SETTINGS, MAX_VALUES } from '../../runtime/modules/settings-bounds.ts';
import { blocksOf, codeOf, inFolder, ROOT, runPage, tableOf } from '../support/pages.ts';
import { plexi } from '../support/plexi.ts';

const PAGE = 'runtime/docs/settings.md';

it('has the bounds that hold', () => {
  const bounds = tableOf(PAGE, 'what').map(([, bound = '']) => Number.parseInt(bound, 10));
  expect(bounds).toEqual([MAX_SETTINGS, MAX_SETTING_TEXT, MAX_MATCHED_TEXT, MAX_SECRET, MAX_VALUES, MAX_DEPTH]);
});

it('has commands that exist', async () => {
  const { code, output } = await plexi('modules', 'settings', '--help');
  expect(code).toBe(0);
  const flags =
    blocksOf(PAGE, 'sh')
      .join('\n')
      .match(/--[a-z-]+/g) ?? [];
  expect(flags.length).toBeGreaterThan(0);
  for (const flag of flags) expect(output).toContain(flag);
});

it('has code of the right types', () => {
  inFolder(codeOf(PAGE), (folder) => {
    const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });
});

it('has a test that passes', async () => {
  const tests = new Map<string, () => Promise<void>>();
  const collect = (name: string, body: () => Promise<void>) => tests.set(name, body);
  await runPage(codeOf(PAGE), 'weather.test.ts', { it: collect, expect });
  expect(tests.size).toBe(1);
  for (const body of tests.values()) await body();
});
