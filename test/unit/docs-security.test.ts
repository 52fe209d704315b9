/** What the pages about permissions, secrets and the security log say is what the code does. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePermission } from '../../runtime/capabilities/permission.ts';
import { describePermission } from '../../runtime/capabilities/permission-words.ts';
import { SECURITY_EVENT_KINDS } from '../../runtime/state/security-event.ts';
import { blocksOf, codeOf, inFolder, ROOT, runPage, tableOf } from '../support/pages.ts';
import { plexi } from '../support/plexi.ts';

const PERMISSIONS = 'runtime/docs/permissions.md';
const SECRETS = 'runtime/docs/secrets.md';
const LOG = 'sdk/docs/security-log.md';

describe('the page about permissions', () => {
  it('has every capability, with the words and the risk that operators are shown', () => {
    const capabilities = tableOf(PERMISSIONS, 'permission').map(([text = '', risk, sentence]) => {
      const parsed = parsePermission(text.replaceAll('`', ''));
      if (!parsed.ok) throw new Error(parsed.message);
      expect(describePermission(parsed.permission)).toEqual({ risk, sentence });
      return parsed.permission.capability;
    });
    expect([...new Set(capabilities)].sort()).toEqual([
      'database',
      'events',
      'files',
      'http',
      'modules',
      'notifications',
      'storage',
      'users',
    ]);
  });

  it('has every kind of security event', () => {
    const kinds = tableOf(PERMISSIONS, '`kind`').map(([kind = '']) => kind.replaceAll('`', ''));
    expect(kinds).toEqual([...SECURITY_EVENT_KINDS]);
  });
});

describe('commands to copy', () => {
  const commands = [PERMISSIONS, SECRETS].flatMap((page) =>
    blocksOf(page, 'sh')
      .flatMap((block) => block.split('\n'))
      .flatMap((line) => /(?:^|\s)plexi ((?:modules|secrets|serve).*)$/.exec(line)?.slice(1, 2) ?? []),
  );

  it.each(commands)('plexi %s exists', async (command) => {
    const words = command.split(' ');
    const { code, output } = await plexi(...words.slice(0, words[0] === 'serve' ? 1 : 2), '--help');
    expect(code).toBe(0);
    for (const flag of command.match(/--[a-z-]+/g) ?? []) expect(output).toContain(flag);
  });
});

describe('the page about the security log', () => {
  it('has code of the right types', () => {
    inFolder(codeOf(LOG), (folder) => {
      const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
      expect(stdout).toBe('');
      expect(status).toBe(0);
    });
  });

  it('has a test that passes', async () => {
    const tests = new Map<string, () => Promise<void>>();
    const collect = (name: string, body: () => Promise<void>) => tests.set(name, body);
    await runPage(codeOf(LOG), 'door.test.ts', { it: collect, expect });
    expect(tests.size).toBe(1);
    for (const body of tests.values()) await body();
  });
});
