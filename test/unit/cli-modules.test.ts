import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { deskHost } from '../support/desk-host.ts';
import { fakeModule } from '../support/fake-modules.ts';
import { plexi } from '../support/plexi.ts';
import { withoutPlexiVariables } from '../support/plexi-variables.ts';
import { sends, stranger } from '../support/stranger.ts';

withoutPlexiVariables();

const weather = (state: 'installed' | 'running' = 'installed') =>
  fakeModule({
    name: 'weather',
    state,
    manifest: {
      required_permissions: ['http:api.example.com'],
      optional_permissions: ['users:read'],
      settings_schema: { properties: { api_key: { type: 'string', writeOnly: true } } },
    },
  });

async function withModules() {
  return deskHost(
    {},
    {
      modules: [weather(), fakeModule({ name: 'plain' })],
      async load(_name, { registry }) {
        registry.add(weather('running'));
      },
    },
  );
}

/** What the command reads; a terminal is not. */
function standardInput(text: string): void {
  const input = Object.assign(Readable.from(text === '' ? [] : [Buffer.from(text)]), { isTTY: false });
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(input as unknown as typeof process.stdin);
}

describe('plexi modules list', () => {
  it('shows states, why, and what was granted', async () => {
    const { data, desks } = await withModules();
    desks.registry.addBroken({ name: 'torn', reasons: ['The folder has no \u001b[2Jconfig.yaml.'] });
    const { code, output, errors } = await plexi('modules', 'list', '--data', data);
    expect([code, errors]).toEqual([0, '']);
    expect(output).toMatch(/^MODULE {3}VERSION {2}STATE {6}GRANTED\n/);
    expect(output).toMatch(/\nweather {2}1\.0\.0 {4}installed {2}0 of 2\n {4}for operators only\n/);
    expect(output).toMatch(/\nplain {4}1\.0\.0 {4}running {4}-\n/);
    expect(output).toContain('torn cannot be read: The folder has no');
    expect(output).not.toContain('\u001b');
  });

  it('--json prints what the API answers', async () => {
    const { data } = await withModules();
    const { output } = await plexi('modules', 'list', '--json', '--data', data);
    expect(JSON.parse(output).modules.map(({ name }: { name: string }) => name)).toEqual(['weather', 'plain']);
  });

  it('a host that says something else ends with 3', async () => {
    const { url } = await stranger(sends({ modules: [{ name: 7 }] }));
    const { code, errors } = await plexi('modules', 'list', '--url', url, '--token', 'a.b.c');
    expect([code, errors]).toEqual([3, expect.stringContaining('does not understand: /modules/0')]);
  });
});

describe('plexi modules show', () => {
  it('says in plain words what is asked for', async () => {
    const { data } = await withModules();
    const { output } = await plexi('modules', 'show', 'weather', '--data', data);
    expect(output).toMatch(/\nhttp:api\.example\.com {2}medium {2}required {2}no\n/);
    expect(output).toContain('    Send data to, and read from, api.example.com.\n');
  });

  it.each(['../tasks', 'Weather', 'a'])('%s can be no module', async (name) => {
    const { code, errors } = await plexi('modules', 'show', name, '--data', '/nowhere');
    expect([code, errors]).toEqual([1, expect.stringContaining('no module can have that name')]);
  });
});

describe('plexi modules grant', () => {
  it('grants what is named, and shows what came of it', async () => {
    const { data, desks } = await withModules();
    const { code, output } = await plexi('modules', 'grant', 'weather', 'http:api.example.com', '--data', data);
    expect(code).toBe(0);
    expect(output).toContain('running');
    expect(output).toMatch(/http:api\.example\.com {2}medium {2}required {2}yes, not used so far\n/);
    expect(desks.grants.held(weather().manifest)).toHaveLength(1);
  });

  it('with nothing named shows what there is to grant, grants nothing, and ends with 1', async () => {
    const { data, desks } = await withModules();
    const { code, errors } = await plexi('modules', 'grant', 'weather', '--data', data);
    expect(code).toBe(1);
    expect(errors).toContain('Send data to, and read from, api.example.com.');
    expect(errors).toContain('plexi modules grant weather http:api.example.com users:read');
    expect(desks.grants.held(weather().manifest)).toEqual([]);
  });

  it('--all grants everything that is asked for', async () => {
    const { data, desks } = await withModules();
    expect((await plexi('modules', 'grant', 'weather', '--all', '--data', data)).code).toBe(0);
    expect(desks.grants.held(weather().manifest)).toHaveLength(2);
    const again = await plexi('modules', 'grant', 'weather', '--all', '--data', data);
    expect([again.code, again.errors]).toEqual([1, expect.stringContaining('weather has all that it asks for.')]);
    expect((await plexi('modules', 'grant', 'weather', 'users:read', '--all', '--data', data)).code).toBe(1);
  });

  it('what is not asked for ends with 1 and the words of the host', async () => {
    const { data } = await withModules();
    const { code, errors } = await plexi('modules', 'grant', 'weather', 'database', '--data', data);
    expect([code, errors]).toEqual([1, expect.stringContaining('does not ask for database')]);
  });

  it('revoke takes it back', async () => {
    const { data, desks } = await withModules();
    await plexi('modules', 'grant', 'weather', 'users:read', '--data', data);
    expect((await plexi('modules', 'revoke', 'weather', 'users:read', '--data', data)).code).toBe(0);
    expect(desks.grants.held(weather().manifest)).toEqual([]);
    expect((await plexi('modules', 'revoke', 'weather', '--data', data)).code).toBe(2);
  });
});

describe('plexi secrets', () => {
  it('set takes the value from standard input, without its last line break, and never shows it', async () => {
    const { data, desks } = await withModules();
    standardInput('open-sesame\n');
    const { code, output, errors } = await plexi('secrets', 'set', 'weather', 'api_key', '--data', data);
    expect([code, output, errors]).toEqual([0, 'api_key of weather is set.\n', '']);
    expect(await desks.vault.read('weather')).toEqual(new Map([['api_key', '"open-sesame"']]));
    const list = await plexi('secrets', 'list', 'weather', '--data', data);
    expect(list.output).toMatch(/\napi_key {2}\*\*\* {4}vault {2}.* by cli:/);
  });

  it('set takes no value as an argument', async () => {
    const { data, desks } = await withModules();
    const { code } = await plexi('secrets', 'set', 'weather', 'api_key', 'open-sesame', '--data', data);
    expect(code).toBe(2);
    expect(await desks.vault.list('weather')).toEqual([]);
  });

  it.each([
    ['', [], 'Standard input is empty'],
    ['\n', [], 'Standard input is empty'],
    ['{not json', ['--as-json'], 'is not JSON'],
    ['7'.repeat(20_000), [], 'at most 16384 bytes'],
  ])('%j %j ends with 1 and without the value', async (text, flags, words) => {
    const { data } = await withModules();
    standardInput(text);
    const { code, errors } = await plexi('secrets', 'set', 'weather', 'api_key', ...flags, '--data', data);
    expect([code, errors]).toEqual([1, expect.stringContaining(words)]);
    expect(errors).not.toMatch(/not json|777/);
  });

  it('a value that the host refuses is not repeated', async () => {
    const { data } = await withModules();
    standardInput('74611');
    const { code, output, errors } = await plexi('secrets', 'set', 'weather', 'api_key', '--as-json', '--data', data);
    expect(code).toBe(1);
    expect(errors).toContain('/body/value');
    expect(output + errors).not.toContain('74611');
  });

  it.each(['../x', 'a b', '', 'a/b'])('%j can be no setting', async (setting) => {
    const { code, errors } = await plexi('secrets', 'set', 'weather', setting, '--data', '/nowhere');
    expect([code, errors]).toEqual([1, expect.stringContaining('no secret setting can have that name')]);
  });

  it('remove and rotate say what they did', async () => {
    const { data } = await withModules();
    standardInput('open-sesame');
    await plexi('secrets', 'set', 'weather', 'api_key', '--data', data);
    const rotated = await plexi('secrets', 'rotate', '--data', data);
    expect([rotated.code, rotated.output]).toEqual([0, '1 secrets are encrypted with a new key.\n']);
    const removed = await plexi('secrets', 'remove', 'weather', 'api_key', '--data', data);
    expect([removed.code, removed.output]).toEqual([0, 'api_key of weather is not in the vault any more.\n']);
    expect((await plexi('secrets', 'remove', 'weather', 'api_key', '--data', data)).code).toBe(1);
    expect((await plexi('secrets', 'list', 'plain', '--data', data)).output).toBe('plain has no secret settings.\n');
  });
});
