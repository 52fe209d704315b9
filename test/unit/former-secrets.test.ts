import { describe, expect, it } from 'vitest';
import type { FoundModule } from '../../runtime/modules/discover.ts';
import { filled } from '../../runtime/modules/fill-secrets.ts';
import { secretPlaces, withoutFormerSecrets } from '../../runtime/modules/former-secrets.ts';
import { parseManifest } from '../../runtime/modules/manifest.ts';
import { splitSecrets } from '../../runtime/modules/secrets.ts';
import { viewSettings } from '../../runtime/modules/settings-view.ts';
import { SecretVault } from '../../runtime/state/secret-vault.ts';
import { openMemoryState } from '../support/memory-state.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ENV = 'PLEXI_MODULE__WEATHER__SETTINGS';
const VALUE = 'open-sesame';

function found(schema: object, environment: Record<string, string>, settings: object = {}): FoundModule {
  const more = `settings: ${JSON.stringify(settings)}\nsettings_schema: ${JSON.stringify(schema)}`;
  const parsed = parseManifest(`module_name: weather\nmodule_version: 1.0.0\n${more}\n`, 'weather/config.yaml', {
    environment,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return { ...parsed, folder: '/modules/weather', name: 'weather' };
}

/** One host: what it loads one after the other, as the cell sees it. */
function host() {
  const state = openMemoryState();
  const warnings: string[] = [];
  const vault = new SecretVault({ folder: tempFolder(), state, environment: {}, onNotice: () => {} });
  const load = async (module: FoundModule) =>
    splitSecrets(
      await filled(module, {
        fillSecrets: (name) => vault.read(name),
        onWarning: (_module, message) => void warnings.push(message),
      }),
    );
  return { load, warnings, state, vault };
}

const secret = { type: 'string', writeOnly: true };
const open = { type: 'string' };

describe('a secret of the environment', () => {
  const smtp = (password: object) => ({ properties: { smtp: { type: 'object', properties: { password } } } });
  it.each<[string, object, object, Record<string, string>]>([
    ['is declared open', { properties: { api_key: secret } }, { properties: { api_key: open } }, { API_KEY: VALUE }],
    ['is declared no more', { properties: { api_key: secret } }, {}, { API_KEY: VALUE }],
    ['differs by a capital', { properties: { apiKey: secret } }, { properties: { apikey: open } }, { APIKEY: VALUE }],
    ['lies deeper', smtp(secret), smtp(open), { SMTP__PASSWORD: VALUE }],
    ['comes with its map', smtp(secret), smtp(open), { SMTP: JSON.stringify({ password: VALUE }) }],
    ['comes with all settings', smtp(secret), smtp(open), { '': JSON.stringify({ smtp: { password: VALUE } }) }],
    [
      'is in a list',
      { properties: { keys: { type: 'array', items: secret } } },
      { properties: { keys: { type: 'array', items: open } } },
      { KEYS: JSON.stringify([VALUE]) },
    ],
    [
      'was in a list that is a text now',
      { properties: { keys: { type: 'array', items: secret } } },
      { properties: { keys: open } },
      { KEYS: JSON.stringify([VALUE]) },
    ],
    [
      'has a free name',
      { properties: { tokens: { type: 'object', additionalProperties: secret } } },
      { properties: { tokens: { type: 'object', properties: { main: open }, additionalProperties: secret } } },
      { TOKENS__MAIN: VALUE },
    ],
    [
      'has a free name beside others',
      { properties: { city: open }, additionalProperties: secret },
      { properties: { city: open } },
      { TOKEN: VALUE },
    ],
    [
      'was a whole of which a part is open now',
      { properties: { pair: { type: 'object', writeOnly: true } } },
      { properties: { pair: { type: 'object', properties: { code: secret, id: open } } } },
      { PAIR: JSON.stringify({ id: VALUE, code: 'x' }) },
    ],
  ])('does not reach a version for which it is none: it %s', async (_what, before, after, given) => {
    const environment = Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key === '' ? ENV : `${ENV}__${key}`, value]),
    );
    const { load, warnings, state } = host();
    const first = await load(found(before, environment));
    expect(JSON.stringify(first.manifest)).not.toContain(VALUE);
    expect([...first.secrets.values()].join()).toContain(VALUE);
    expect(warnings).toEqual([]);
    const second = await load(found(after, environment));
    expect(JSON.stringify(second.manifest)).not.toContain(VALUE);
    expect(warnings).toEqual([expect.stringContaining(`${Object.keys(environment)[0]} is not used`)]);
    expect(warnings.join()).not.toContain(VALUE);
    // A version that calls it a secret again has it again; nothing of it is kept.
    expect([...(await load(found(before, environment))).secrets.values()].join()).toContain(VALUE);
    expect(state.dump()).not.toContain(VALUE);
  });

  it('is known from a version that ran before it was given', async () => {
    const { load, warnings } = host();
    await load(found({ properties: { api_key: secret } }, {}));
    const { manifest } = await load(found({ properties: { api_key: open } }, { [`${ENV}__API_KEY`]: VALUE }));
    expect(JSON.stringify(manifest)).not.toContain(VALUE);
    expect(warnings).toHaveLength(1);
  });

  it('gives way to what config.yaml and the defaults say, and leaves the other variables alone', async () => {
    const { load } = host();
    const environment = {
      [`${ENV}__A`]: VALUE,
      [`${ENV}__B`]: VALUE,
      [`${ENV}__CITY`]: 'Ulm',
      [`${ENV}__DEBUG`]: 'true',
    };
    await load(found({ properties: { a: secret, b: secret, city: open } }, environment));
    const after = { properties: { a: open, b: { type: 'string', default: 'beta' }, city: open } };
    const { manifest } = await load(found(after, environment, { a: 'alpha' }));
    expect(manifest.settings).toMatchObject({ a: 'alpha', b: 'beta', city: 'Ulm', debug: true });
  });

  it('keeps a module from loading that does not fit without it, and is not named in what is said', async () => {
    const { load } = host();
    const environment = { [`${ENV}__API_KEY`]: VALUE };
    await load(found({ properties: { api_key: secret } }, environment));
    const after = found({ properties: { api_key: { type: 'string', minLength: 5 } } }, environment, { api_key: 'x' });
    const failed = await load(after).catch((error: Error) => error.message);
    expect(failed).toContain(`${ENV}__API_KEY`);
    expect(failed).not.toContain(VALUE);
  });
});

it('what was never a secret is left alone, in whatever schema it stands', async () => {
  const { load, warnings } = host();
  const schema = {
    properties: {
      city: open,
      smtp: { type: 'object', properties: { host: open, password: secret } },
      list: { type: 'array', items: { type: 'object', properties: { name: open, key: secret } } },
    },
    additionalProperties: secret,
  };
  const environment = {
    [`${ENV}__CITY`]: 'Ulm',
    [`${ENV}__SMTP`]: '{"host":"h","password":"p"}',
    [`${ENV}__LIST`]: '[{"name":"n","key":"k"}]',
    [`${ENV}__FREE`]: 'f',
  };
  for (let turn = 0; turn < 3; turn++) {
    const { manifest } = await load(found(schema, environment));
    expect(manifest.settings).toMatchObject({ city: 'Ulm', smtp: { host: 'h' }, list: [{ name: 'n' }] });
  }
  expect(warnings).toEqual([]);
});

it('while nobody can say what was a secret, nothing of the environment is shown', () => {
  const module = found({ properties: { api_key: open } }, { [`${ENV}__API_KEY`]: VALUE });
  const shown = viewSettings(
    withoutFormerSecrets(module, undefined, () => {}),
    { settings: {}, setAt: null, setBy: null },
    new Set(),
  );
  expect(JSON.stringify(shown)).not.toContain(VALUE);
});

it('no module fills the memory of the host with names', async () => {
  const { vault, load, state } = host();
  const { remember } = await vault.read('weather');
  const many = (from: number) => new Set(Array.from({ length: 3_000 }, (_, index) => `key${from + index}`));
  await remember(many(0));
  await expect(remember(many(3_000))).rejects.toThrow('more than 5000 secret settings');
  const long = found({ properties: { ['x'.repeat(5_000)]: secret } }, {});
  for (const place of secretPlaces(long)) expect(place.length).toBeLessThanOrEqual(64);
  await load(long);
  expect(state.dump().length).toBeLessThan(200_000);
});
