/** sdk/docs/files.md says what the code says, and its code runs. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ERRORS } from '@plexichat/sdk/protocol/errors';
import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import { HostSettingsSchema } from '../../runtime/config/settings-schema.ts';
import { codeOf, inFolder, ROOT, runPage, tableOf, textOf } from '../support/pages.ts';

const PAGE = 'sdk/docs/files.md';

describe('the page about files', () => {
  it('has code of the right types', () => {
    inFolder(codeOf(PAGE), (folder) => {
      const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
      expect(stdout).toBe('');
      expect(status).toBe(0);
    });
  });

  it('has tests that pass', async () => {
    const tests = new Map<string, () => Promise<void>>();
    const collect = (name: string, body: () => Promise<void>) => tests.set(name, body);
    await runPage(codeOf(PAGE), 'pictures.test.ts', { it: collect, expect });
    expect(tests.size).toBe(2);
    for (const body of tests.values()) await body();
  });

  it('lists every method, and every error with its right name', async () => {
    const { default: Module } = await runPage(codeOf(PAGE), 'module.ts', {});
    const { module } = await createModuleHarness(Module as never);
    const { files } = module as unknown as { files: object };
    const methods = tableOf(PAGE, 'method').map(([method = '']) => /^`(\w+)/.exec(method)?.[1]);
    expect(new Set(methods)).toEqual(new Set(Object.keys(files)));
    const codes = tableOf(PAGE, '`code`').flatMap(([code = '']) => /^`(\w+)`/.exec(code)?.slice(1) ?? []);
    expect(codes.length).toBeGreaterThan(4);
    for (const code of codes) expect(Object.keys(ERRORS)).toContain(code);
  });

  it('says the default of the size of a file', () => {
    const { default: value } = HostSettingsSchema.properties.limits.properties.file_mb as { default?: number };
    expect(textOf(PAGE)).toContain(`\`limits.file_mb\` (${value})`);
  });
});
