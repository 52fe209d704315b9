import { describe, expect, it, onTestFinished } from 'vitest';
import { writeHostFile } from '../../runtime/cli/host-file.ts';
import { readPatch } from '../../runtime/cli/settings-patch.ts';
import { serveGateway } from '../../runtime/gateway/serve.ts';
import { settingsRoutes } from '../../runtime/management/settings-routes.ts';
import { openDataFolder } from '../../runtime/state/data-folder.ts';
import { fakeGateway, fakeModule } from '../support/fake-modules.ts';
import { operatorDesks } from '../support/operator-desks.ts';
import { plexi } from '../support/plexi.ts';
import { withoutPlexiVariables } from '../support/plexi-variables.ts';
import { sends, stranger } from '../support/stranger.ts';
import { tempFolder } from '../support/temp-folder.ts';

withoutPlexiVariables();

const SCHEMA = {
  properties: {
    city: { type: 'string' },
    days: { type: 'integer', maximum: 14 },
    api_key: { type: 'string', writeOnly: true },
    smtp: { properties: { port: { type: 'integer' }, login: { type: 'object', writeOnly: true } } },
    mode: { enum: ['1', '2'] },
  },
};

async function settingsHost() {
  const manifest = { settings: { city: 'Bonn' }, settings_schema: SCHEMA };
  const desks = await operatorDesks({ modules: [fakeModule({ name: 'weather', manifest })] });
  const data = tempFolder();
  const { secret } = await openDataFolder(data);
  const gateway = fakeGateway([], {
    auth: { secret },
    mount: (platform, { authenticate }) =>
      void platform.route(
        '/api/v1/modules',
        settingsRoutes({ authenticate, settings: desks.settings, audit: () => {} }),
      ),
  });
  const server = await serveGateway(gateway, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  await writeHostFile(data, server.url);
  return { data, desks };
}

describe('plexi modules settings', () => {
  it('shows each setting and where it comes from', async () => {
    const { data, desks } = await settingsHost();
    await desks.vault.set('weather', 'api_key', '"open-sesame"', 'olga');
    const { code, output, errors } = await plexi('modules', 'settings', 'weather', '--data', data);
    expect([code, errors]).toEqual([0, '']);
    expect(output).toMatch(/^SETTING {4}VALUE {2}FROM\n/);
    expect(output).toMatch(/\ncity {7}Bonn {3}config\.yaml\n/);
    expect(output).toMatch(/\napi_key {4}\*\*\* {4}vault\n/);
  });

  it('changes them, with the types that the module wants, and says what came of it', async () => {
    const { data } = await settingsHost();
    const set = ['--set', 'days=7', '--set', 'city=2024', '--set', 'smtp.port=587', '--set', 'mode=1'];
    const { code, output } = await plexi('modules', 'settings', 'weather', ...set, '--data', data);
    expect(code).toBe(0);
    expect(output).toMatch(/\ncity {7}2024 {3}operator\n/);
    expect(output).toContain('weather runs on, and knows; it is running');
    const { output: json } = await plexi('modules', 'settings', 'weather', '--unset', 'city', '--json', '--data', data);
    expect(JSON.parse(json).values).toMatchObject({ city: 'Bonn', days: 7, smtp: { port: 587 }, mode: '1' });
  });

  it('ends with 1 and everything that is wrong when the host refuses', async () => {
    const { data } = await settingsHost();
    const { code, errors } = await plexi('modules', 'settings', 'weather', '--set', 'days=99', '--data', data);
    expect(code).toBe(1);
    expect(errors).toContain('/body/values/days');
  });

  it.each(['api_key=open-sesame', 'smtp.login.password=open-sesame'])(
    'takes no secret as an argument: %s',
    async (set) => {
      const { data } = await settingsHost();
      const { code, errors } = await plexi('modules', 'settings', 'weather', '--set', set, '--data', data);
      expect([code, errors]).toEqual([1, expect.stringContaining('plexi secrets set weather')]);
      expect(errors).not.toContain('sesame');
    },
  );

  it.each(['../tokens', 'Weather'])('%s can be no module', async (name) => {
    const { code, errors } = await plexi('modules', 'settings', name, '--data', '/nowhere');
    expect([code, errors]).toEqual([1, expect.stringContaining('no module can have that name')]);
  });

  it('shows nothing of a strange host that steers the terminal', async () => {
    const answer = {
      module: 'weather',
      version: '1.0.0',
      schema: {},
      values: { '\u001b[2Jcity': '\u001b]0;x\u0007\nFORGED  LINE' },
      sources: {},
      overridden: {},
      missing: ['\u001b[2J'],
      dropped: [],
    };
    const { url } = await stranger(sends(answer));
    const { code, output } = await plexi('modules', 'settings', 'weather', '--url', url, '--token', 'a.b.c');
    expect(code).toBe(0);
    expect(output).not.toContain('\u001b');
    expect(output).not.toMatch(/^FORGED/m);
  });
});

describe('--set and --unset', () => {
  it.each([['days'], ['=7']])('%s is no setting', (text) => {
    expect(() => readPatch('weather', {}, [text], [])).toThrow('allowed is name=value');
  });

  it.each([
    [['a=1', 'a=2'], []],
    [['a=1', 'a.b=2'], []],
    [['a.b=1'], ['a']],
    [['a..b=1'], []],
  ])('%j with %j is refused', (sets, unsets) => {
    expect(() => readPatch('weather', {}, sets, unsets)).toThrow(/named/);
  });

  it('names of the prototype are names, for the host to refuse', () => {
    const patch = readPatch('weather', {}, ['__proto__.polluted=1'], ['constructor']);
    expect(JSON.stringify(patch)).toBe('{"__proto__":{"polluted":1},"constructor":null}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
