/** The page about the database: its code compiles and runs, its tables say what the code says. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ERRORS } from '@plexichat/sdk/protocol/errors';
import { COLUMN_TYPES } from '@plexichat/sdk/protocol/manifest-database';
import { expect, test } from 'vitest';
import { loadHostSettings } from '../../runtime/config/load-host-settings.ts';
import { parseManifest } from '../../runtime/modules/manifest.ts';
import { blocksOf, codeOf, inFolder, ROOT, runPage, tableOf } from '../support/pages.ts';

const PAGE = 'sdk/docs/db.md';

test('the code has the right types', () => {
  inFolder(codeOf(PAGE), (folder) => {
    const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });
});

test('the test passes', async () => {
  const tests = new Map<string, () => Promise<void>>();
  const it = (name: string, body: () => Promise<void>) => tests.set(name, body);
  await runPage(codeOf(PAGE), 'todo.test.ts', { it, expect });
  expect(tests.size).toBe(1);
  for (const body of tests.values()) await body();
});

test('the config.yaml is one', () => {
  const [text = ''] = blocksOf(PAGE, 'yaml');
  expect(parseManifest(text, 'config.yaml')).toMatchObject({ ok: true, manifest: { database: { enabled: true } } });
});

test('the tables name what there is', () => {
  const words = (table: string[][]) => table.map(([first = '']) => first.replaceAll('`', ''));
  expect(words(tableOf(PAGE, 'type')).toSorted()).toEqual([...COLUMN_TYPES].sort());
  const codes = Object.keys(ERRORS).filter((code) => code.startsWith('DATABASE_'));
  expect(words(tableOf(PAGE, 'code'))).toEqual(expect.arrayContaining(codes));
  const { settings } = loadHostSettings({});
  expect(tableOf('runtime/docs/databases.md', 'setting').map(([name = '', value = '']) => [name, value])).toEqual(
    Object.entries(settings.databases).map(([key, value]) => [`\`databases.${key}\``, `\`${value}\``]),
  );
});
