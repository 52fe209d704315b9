import { describe, expect, it } from 'vitest';
import type { FoundModule } from '../../runtime/modules/discover.ts';
import { parseManifest } from '../../runtime/modules/manifest.ts';
import type { Settings } from '../../runtime/modules/settings-book.ts';
import { planChange } from '../../runtime/modules/settings-change.ts';
import { layerSettings } from '../../runtime/modules/settings-layers.ts';
import { viewSettings } from '../../runtime/modules/settings-view.ts';
import { startCpuClock } from '../support/cpu-time.ts';

const SCHEMA = `
settings_schema:
  required: [api_key]
  properties:
    city: { title: City, type: string, maxLength: 20 }
    days: { type: integer, minimum: 1, maximum: 14, default: 3 }
    api_key: { type: string, writeOnly: true, minLength: 6, default: from-the-schema, examples: [example-secret] }
    smtp:
      type: object
      default: { host: x, password: default-in-map }
      properties:
        host: { type: string }
        port: { type: integer }
        password: { type: string, writeOnly: true }
    keys: { type: array, items: { type: string, writeOnly: true } }
    odd: { type: object, properties: { "my key": { type: string, writeOnly: true } } }
    digits: { type: string, pattern: "^[0-9]+[a-z]+$" }
`;

function found(settings = '{}', environment: Record<string, string> = {}, schema = SCHEMA): FoundModule {
  const text = `module_name: weather\nmodule_version: 1.0.0\nsettings: ${settings}\n${schema}`;
  const parsed = parseManifest(text, 'weather/config.yaml', { environment });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return { ...parsed, folder: '/modules/weather', name: 'weather' };
}

const ENV = 'PLEXI_MODULE__WEATHER__SETTINGS__';
const plan = (patch: unknown, kept: Settings = {}, module = found()) => planChange(module, kept, patch as Settings);
const errorsOf = (patch: unknown, kept: Settings = {}, module = found()) => {
  const change = plan(patch, kept, module);
  return change.ok ? [] : change.errors.map(({ path, message }) => `${path} ${message}`);
};

describe('a change', () => {
  it('is merged into what is set, key by key', () => {
    expect(plan({ days: 5, smtp: { port: 587 } }, { city: 'Bonn', smtp: { host: 'mail' } })).toEqual({
      ok: true,
      layer: { city: 'Bonn', days: 5, smtp: { host: 'mail', port: 587 } },
      secrets: [],
    });
  });

  it('takes keys back with null, and maps that are empty then', () => {
    const kept = { city: 'Bonn', days: 5, smtp: { host: 'mail' } };
    expect(plan({ city: null, smtp: { host: null }, gone: null }, kept)).toMatchObject({
      ok: true,
      layer: { days: 5 },
    });
    expect(plan({ smtp: {} }, kept)).toMatchObject({ layer: kept });
  });

  it('finds everything that is wrong, at its place', () => {
    expect(
      errorsOf({
        city: 7,
        days: 99,
        smtp: { port: 'x' },
        api_key: 'shrt',
        log_level: 'LOUD',
        debug: 'yes',
        keys: ['a'],
      }),
    ).toEqual([
      '/body/values/api_key found another value; allowed is text of at least 6 characters.',
      expect.stringMatching(/^\/body\/values\/keys holds secrets in a list/),
      expect.stringMatching(/^\/body\/values\/city found 7; allowed is text/),
      expect.stringMatching(/^\/body\/values\/days found 99; allowed is a whole number from 1 to 14/),
      expect.stringMatching(/^\/body\/values\/smtp\/port found "x"/),
      expect.stringMatching(/^\/body\/values\/debug found "yes"/),
      expect.stringMatching(/^\/body\/values\/log_level found "LOUD"/),
    ]);
  });

  it('puts secrets aside, and keeps none of them with the rest', () => {
    const change = plan({ api_key: 'open-sesame', smtp: { password: 'swordfish', host: 'mail' } });
    expect(change).toEqual({
      ok: true,
      layer: { smtp: { host: 'mail' } },
      secrets: [
        { setting: 'api_key', value: 'open-sesame' },
        { setting: 'smtp.password', value: 'swordfish' },
      ],
    });
    expect(plan({ api_key: '***', smtp: { password: null } })).toMatchObject({
      layer: {},
      secrets: [{ setting: 'smtp.password', value: null }],
    });
  });

  it.each([
    ['in a list', { keys: ['swordfish'] }],
    ['in place of the map around it', { smtp: 'swordfish' }],
    ['in place of the map around it, as a list', { smtp: ['swordfish'] }],
    ['under a name that the vault cannot hold', { odd: { 'my key': 'swordfish' } }],
    ['too short', { api_key: 'sword' }],
    ['of another type', { api_key: { swordfish: 'swordfish' } }],
  ])('refuses a secret %s, without repeating it', (_where, patch) => {
    const errors = errorsOf(patch);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.join()).not.toContain('sword');
  });

  it('cannot touch what the environment has, above or below', () => {
    const module = found('{}', { [`${ENV}CITY`]: 'Bonn', [`${ENV}SMTP__PORT`]: '99', [`${ENV}API_KEY`]: 'from-env' });
    expect(errorsOf({ city: 'Ulm', smtp: { port: 1 }, api_key: 'open-sesame' }, {}, module)).toEqual([
      expect.stringContaining(`/body/values/city is set by ${ENV}CITY in the environment`),
      expect.stringContaining(`/body/values/smtp/port is set by ${ENV}SMTP__PORT`),
      expect.stringContaining(`/body/values/api_key is set by ${ENV}API_KEY`),
    ]);
    expect(errorsOf({ smtp: 'text' }, {}, module)[0]).toContain(`is set by ${ENV}SMTP__PORT`);
    // A form sends back what it was shown.
    const same = { city: 'Bonn', smtp: { port: 99, host: 'mail' }, api_key: '***' };
    expect(plan(same, {}, module)).toEqual({ ok: true, layer: { smtp: { host: 'mail' } }, secrets: [] });
    expect(plan({ city: null }, { city: 'Ulm' }, module)).toMatchObject({ ok: true, layer: {} });
  });

  it('is free where there is no schema', () => {
    const change = plan({ anything: { goes: [1, { two: null }] } }, {}, found('{}', {}, ''));
    expect(change).toMatchObject({ ok: true, layer: { anything: { goes: [1, { two: null }] } } });
  });
});

describe('a hostile change', () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
  const free = found('{}', {}, '');

  it.each([
    ['too long a text', { free: 'x'.repeat(17_000) }, /at most 16384 characters/],
    [
      'too much in all',
      Object.fromEntries(Array.from({ length: 9 }, (_none, index) => [`k${index}`, 'x'.repeat(9_000)])),
      /at most 65536 characters/,
    ],
    ['too many values', { free: Array.from({ length: 5_000 }, () => 1) }, /at most 2000 values/],
    [
      'too many keys',
      Object.fromEntries(Array.from({ length: 5_000 }, (_none, index) => [`k${index}`, 1])),
      /at most 2000 values/,
    ],
    ['too deep', deep(40), /at most 12 levels/],
    ['NUL', { free: 'a\0b' }, /without NUL/],
    ['NUL in a key', { 'a\0b': 1 }, /NUL/],
    ['half a character', { free: 'a\ud800' }, /half characters/],
    ['an empty key', { '': 1 }, /empty/],
    ['a long key', { ['k'.repeat(300)]: 1 }, /longer than 200/],
    ['__proto__', JSON.parse('{"__proto__":{"polluted":1}}'), /__proto__/],
    ['__proto__ further down', JSON.parse('{"a":[{"__proto__":{"polluted":1}}]}'), /__proto__/],
    ['constructor', { constructor: { prototype: { polluted: 1 } } }, /constructor/],
  ])('%s is refused, and changes nothing', (_what, patch, words) => {
    expect(errorsOf(patch, {}, free).join()).toMatch(words);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('cannot grow what is kept, bit by bit', () => {
    const kept = Object.fromEntries(Array.from({ length: 6 }, (_none, index) => [`k${index}`, 'x'.repeat(10_000)]));
    expect(errorsOf({ more: 'x'.repeat(10_000) }, kept, free).join()).toMatch(/at most 65536 characters/);
  });

  it('makes no pattern of the author work for long', () => {
    const slow = found(
      '{}',
      {},
      'settings_schema: { properties: { a: { type: string, pattern: "^a*a*b" }, l: { properties: { s: { pattern: "^a*a*b", writeOnly: true } } } } }',
    );
    const long = 'a'.repeat(16_000);
    const usedMs = startCpuClock();
    expect(errorsOf({ a: long, l: { s: long } }, {}, slow).join()).toMatch(
      /found text of 16000 characters; allowed are 1000/,
    );
    expect(layerSettings(slow, { a: long }).dropped).toHaveLength(1);
    const text = `module_name: weather\nmodule_version: 1.0.0\nsettings: { a: ${'a'.repeat(200_000)} }\nsettings_schema: { properties: { a: { pattern: "^a*a*b" } } }`;
    expect(parseManifest(text, 'config.yaml').ok).toBe(false);
    // Without the bound: many seconds.
    expect(usedMs()).toBeLessThan(2_000);
  });

  it('has a bounded number of findings', () => {
    const many = Object.fromEntries(Array.from({ length: 1_500 }, (_none, index) => [`unknown${index}`, 1]));
    const closed = found(
      '{}',
      {},
      'settings_schema: { additionalProperties: false, properties: { a: { type: string } } }',
    );
    expect(errorsOf(many, {}, closed)).toHaveLength(100);
  });
});

describe('what operators are shown', () => {
  const view = (module: FoundModule, layer: Settings = {}, vault: readonly string[] = []) =>
    viewSettings(module, { settings: layer, setAt: 0, setBy: 'olga' }, new Set(vault));

  it('is what is in force, with the source of each value', () => {
    const module = found('{ city: Bonn, smtp: { host: mail } }', { [`${ENV}SMTP__PORT`]: '99' });
    const shown = view(module, { days: 7 }, ['smtp.password']);
    expect(shown.values).toEqual({
      api_key: '***',
      city: 'Bonn',
      days: 7,
      debug: false,
      log_level: 'INFO',
      smtp: { host: 'mail', password: '***', port: 99 },
    });
    expect(shown.sources).toEqual({
      api_key: 'default',
      city: 'config.yaml',
      days: 'operator',
      debug: 'default',
      log_level: 'default',
      'smtp.host': 'config.yaml',
      'smtp.password': 'vault',
      'smtp.port': 'environment',
    });
    expect(shown.overridden).toEqual({ 'smtp.port': `${ENV}SMTP__PORT` });
    expect(shown).toMatchObject({ set_by: 'olga', set_at: '1970-01-01T00:00:00.000Z' });
  });

  it('is a form in the order of the schema, with the keys that every module has', () => {
    const { schema } = view(found());
    const properties = schema.properties as Record<string, Record<string, unknown>>;
    expect(Object.keys(properties)).toEqual([
      'city',
      'days',
      'api_key',
      'smtp',
      'keys',
      'odd',
      'digits',
      'debug',
      'log_level',
    ]);
    expect(properties.city).toEqual({ title: 'City', type: 'string', maxLength: 20, 'x-order': 0 });
    expect(properties.days).toMatchObject({ default: 3, minimum: 1, maximum: 14 });
    expect(properties.api_key).toEqual({ type: 'string', writeOnly: true, minLength: 6, 'x-order': 2 });
    expect(properties.log_level?.enum).toEqual(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']);
  });

  it('has no secret in it, wherever it comes from', () => {
    const module = found('{ api_key: from-config, keys: [in-a-list], smtp: { password: in-config } }', {
      [`${ENV}ODD__MY KEY`]: 'in-environment',
    });
    const text = JSON.stringify(view(module, { smtp: { password: 'was-plain' } }));
    expect(text).not.toMatch(/from-config|in-a-list|in-config|in-environment|was-plain/);
    expect(JSON.stringify(view(found()))).not.toMatch(/from-the-schema|example-secret|default-in-map/);
  });

  it('says what is missing, and what this version does not take', () => {
    const schema =
      'settings_schema: { required: [a, b], properties: { a: { type: string }, b: { type: string, writeOnly: true } } }';
    const shown = view(found('{}', {}, schema), { a: 7 }, ['b']);
    expect(shown.missing).toEqual(['a']);
    expect(shown.dropped).toMatchObject([{ setting: 'a' }]);
    expect(shown.values.b).toBe('***');
  });
});
