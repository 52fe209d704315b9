/** What the pages on modules, http, debug and users tell people to copy compiles and runs, and their numbers are the code's. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { MAX_BREAKPOINT_MS } from '@plexichat/sdk/protocol/debug-limits';
import {
  MAX_CALL_DEPTH,
  MAX_METHOD_ARGS,
  MAX_METHOD_DEPTH,
  MAX_METHOD_RESULT,
} from '@plexichat/sdk/protocol/method-limits';
import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, test } from 'vitest';
import { MAX_RETRIES } from '../../runtime/capabilities/egress-send.ts';
import { parseManifest } from '../../runtime/modules/manifest.ts';
import { blocksOf, codeOf, inFolder, ROOT, runPage, tableOf, textOf } from '../support/pages.ts';

const PAGES = [
  ['sdk/docs/modules.md', 'helper.test.ts', 2],
  ['sdk/docs/http.md', 'rates.test.ts', 1],
  ['sdk/docs/debug.md', 'checkout.test.ts', 1],
  ['sdk/docs/users.md', 'notes.test.ts', 1],
] as const;

describe.each(PAGES)('%s', (page, testFile, count) => {
  test('has code of the right types', () => {
    inFolder(codeOf(page), (folder) => {
      const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
      expect(stdout).toBe('');
      expect(status).toBe(0);
    });
  });

  test('has tests that pass', async () => {
    const tests = new Map<string, () => Promise<void>>();
    const it = (name: string, body: () => Promise<void>) => tests.set(name, body);
    await runPage(codeOf(page), testFile, { it, expect });
    expect(tests.size).toBe(count);
    for (const body of tests.values()) await body();
  });

  test('shows settings that a module may have', () => {
    for (const block of blocksOf(page, 'yaml')) {
      const parsed = parseManifest(`module_name: demo\nmodule_version: 1.0.0\n${block}`, 'config.yaml', {});
      expect(parsed).toMatchObject({ ok: true });
    }
  });
});

test('the module that streams hands on what it reads', async () => {
  const { default: Module } = await runPage(codeOf('sdk/docs/http.md'), 'module.ts', {});
  const bodies: string[] = [];
  const http = async (request: Request) => {
    bodies.push(await request.text());
    return new Response('zipped');
  };
  const harness = await createModuleHarness(Module as never, { fakes: { http } });
  expect((await harness.request('GET', '/archive')).text()).toBe('zipped');
  expect((await harness.request('POST', '/report', { body: 'all of it' })).json()).toEqual({ stored: true });
  expect(bodies).toEqual(['', 'all of it']);
});

test('the limits of the page on modules are those of the code', () => {
  const limits = tableOf('sdk/docs/modules.md', 'what').map(([, limit = '']) => Number(limit.replace(/\D/g, '')));
  expect(limits.slice(0, 4)).toEqual([MAX_METHOD_ARGS, MAX_METHOD_RESULT, MAX_METHOD_DEPTH, MAX_CALL_DEPTH]);
});

test('the numbers of the other two are as well', () => {
  expect(textOf('sdk/docs/debug.md')).toContain(`at most ${MAX_BREAKPOINT_MS / 1000} seconds`);
  expect(textOf('sdk/docs/http.md')).toContain(`up to ${['', 'two', 'three'][MAX_RETRIES]} times`);
});
