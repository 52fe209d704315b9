/** What sdk/docs/storage.md tells people to copy compiles and runs, and its limits are those of the code. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  MAX_CACHED_TTL,
  MAX_CACHED_VALUE,
  MAX_KEY,
  MAX_STORED_TTL,
  MAX_STORED_VALUE,
} from '@plexichat/sdk/protocol/storage-limits';
import { createModuleHarness } from '@plexichat/sdk/testing';
import { expect, test } from 'vitest';
import { codeOf, inFolder, ROOT, runPage, textOf } from '../support/pages.ts';

const PAGE = 'sdk/docs/storage.md';

test('the code has the right types', () => {
  inFolder(codeOf(PAGE), (folder) => {
    const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });
});

test('the module does what the page says', async () => {
  const { default: Module } = await runPage(codeOf(PAGE), 'module.ts', {});
  let forecasts = 0;
  const harness = await createModuleHarness(Module as never, {
    fakes: { http: () => Response.json({ number: ++forecasts }) },
  });
  const ask = async (method: string, path: string, body?: unknown) => {
    const { status, ...answer } = await harness.request(method, path, { body });
    return status === 204 ? 204 : status >= 400 ? status : answer.json();
  };
  expect(await ask('GET', '/settings')).toEqual({ theme: 'light', city: 'Bonn' });
  expect(await ask('PUT', '/settings', { theme: 'dark', city: 'Ulm' })).toBe(204);
  expect(await ask('GET', '/settings')).toEqual({ theme: 'dark', city: 'Ulm' });
  expect([await ask('DELETE', '/settings'), await ask('DELETE', '/settings')]).toEqual([204, 404]);
  await Promise.all(Array.from({ length: 20 }, () => ask('POST', '/visits')));
  expect(await ask('POST', '/visits')).toEqual({ visits: 21 });
  for (const code of ['b', 'a']) await ask('POST', `/codes/${code}`);
  expect(await ask('GET', '/codes')).toEqual(['code:a', 'code:b']);
  expect(harness.stored).toEqual({ 'code:a': true, 'code:b': true, visits: 21 });
  expect([await ask('GET', '/forecast/Bonn'), await ask('GET', '/forecast/Bonn')]).toEqual([
    { number: 1 },
    { number: 1 },
  ]);
  await harness.close();
});

test('the test passes', async () => {
  const tests = new Map<string, () => Promise<void>>();
  await runPage(codeOf(PAGE), 'profile.test.ts', {
    it: (name: string, body: () => Promise<void>) => tests.set(name, body),
    expect,
  });
  expect(tests.size).toBe(1);
  for (const body of tests.values()) await body();
});

test('the limits are those of the code', () => {
  const page = textOf(PAGE);
  for (const limit of [MAX_STORED_VALUE, MAX_CACHED_VALUE])
    expect(page).toContain(`${limit.toLocaleString('en')} characters as JSON`);
  expect(page).toContain(`1 to ${MAX_KEY} characters`);
  expect([MAX_STORED_TTL / 86_400_000 / 365, MAX_CACHED_TTL / 86_400_000]).toEqual([10, 30]);
});
