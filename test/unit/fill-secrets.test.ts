import { describe, expect, it } from 'vitest';
import type { FoundModule } from '../../runtime/modules/discover.ts';
import { filled } from '../../runtime/modules/fill-secrets.ts';
import { parseManifest } from '../../runtime/modules/manifest.ts';
import { findSecretNode, hasSetting, listSecretSettings } from '../../runtime/modules/secret-settings.ts';
import { splitSecrets } from '../../runtime/modules/secrets.ts';

const SCHEMA = `
settings_schema:
  properties:
    api_key: { type: string, writeOnly: true, minLength: 3 }
    colour: { type: string }
    pair: { type: object, writeOnly: true, properties: { id: { type: integer }, code: { type: string } } }
    smtp: { properties: { password: { type: string, writeOnly: true }, host: { type: string } } }
    tokens: { type: object, additionalProperties: { type: string, writeOnly: true } }
`;

function found(settings: string, environment: Record<string, string> = {}, schema = SCHEMA): FoundModule {
  const text = `module_name: weather\nmodule_version: 1.0.0\nsettings: ${settings}\n${schema}`;
  const parsed = parseManifest(text, 'weather/config.yaml', { environment });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return { ...parsed, folder: '/modules/weather', name: 'weather' };
}

async function fill(module: FoundModule, secrets: Record<string, unknown>) {
  const warnings: string[] = [];
  const manifest = await filled(module, {
    fillSecrets: async () => new Map(Object.entries(secrets).map(([name, value]) => [name, JSON.stringify(value)])),
    onWarning: (_module, message) => void warnings.push(message),
  });
  return { manifest, warnings };
}

describe('secrets of the vault', () => {
  it('take the place of what config.yaml says, and leave the guest placeholders', async () => {
    const { manifest, warnings } = await fill(found('{ api_key: old, colour: green }'), {
      api_key: 'open-sesame',
      'smtp.password': 'swordfish',
      'tokens.main': 'tok',
      pair: { id: 7, code: 'x' },
    });
    const split = splitSecrets(manifest);
    expect(warnings).toEqual([]);
    expect(JSON.stringify(split.manifest)).not.toMatch(/open-sesame|swordfish|"tok"/);
    expect(split.manifest.settings).toMatchObject({
      api_key: '{{secret.api_key}}',
      colour: 'green',
      smtp: { password: '{{secret.smtp.password}}' },
      tokens: { main: '{{secret.tokens.main}}' },
    });
    expect(split.secrets.get('pair')).toBe('{"id":7,"code":"x"}');
  });

  it('leave the manifest of the host as it was', async () => {
    const module = found('{ api_key: old }');
    await fill(module, { api_key: 'open-sesame' });
    expect(module.manifest.settings).toMatchObject({ api_key: 'old' });
  });

  it.each([
    ['PLEXI_MODULE__WEATHER__SETTINGS__API_KEY', 'from-env'],
    ['PLEXI_MODULE__WEATHER__SETTINGS', '{"api_key":"from-env"}'],
  ])('give way to %s', async (variable, value) => {
    const { manifest, warnings } = await fill(found('{}', { [variable]: value }), { api_key: 'open-sesame' });
    expect(manifest.settings).toMatchObject({ api_key: 'from-env' });
    expect(warnings.join()).toContain(`${variable} is set`);
    expect(warnings.join()).not.toMatch(/open-sesame|from-env/);
  });

  it('are not handed out in the clear by a version that calls the setting secret no more', async () => {
    const open = 'settings_schema: { properties: { api_key: { type: string } } }';
    const { manifest, warnings } = await fill(found('{}', {}, open), { api_key: 'open-sesame' });
    expect(JSON.stringify(manifest)).not.toContain('open-sesame');
    expect(warnings).toEqual(['The vault holds api_key, which is no secret setting of the module.']);
  });

  it('that do not fit any more are not used, and not repeated', async () => {
    const { manifest, warnings } = await fill(found('{}'), { api_key: 'hm', pair: { id: 'hunter2' } });
    expect(JSON.stringify(manifest)).not.toMatch(/"hm"|hunter2/);
    expect(warnings.join()).not.toMatch(/"hm"|hunter2/);
    expect(warnings).toHaveLength(2);
  });

  it('never touch a prototype', async () => {
    const names = ['__proto__.polluted', 'constructor.prototype.polluted', 'tokens.__proto__', '__proto__'];
    const { warnings } = await fill(found('{}'), Object.fromEntries(names.map((name) => [name, 'yes'])));
    expect(warnings).toHaveLength(4);
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });
});

describe('a value of a secret setting that does not fit', () => {
  it.each([
    '{ api_key: 7261454 }',
    '{ pair: { id: "7261454" } }',
    '{ pair: [7261454] }',
    '{ smtp: { password: 7261454 } }',
    '{ tokens: { a: 7261454 } }',
  ])('is not repeated in what is said about it: %s', (settings) => {
    const text = `module_name: weather\nmodule_version: 1.0.0\nsettings: ${settings}\n${SCHEMA}`;
    const parsed = parseManifest(text, 'weather/config.yaml');
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain('7261454');
  });
});

describe('secret settings', () => {
  const { settings_schema: schema } = found('{}').manifest;

  it('are listed by name', () => {
    expect(listSecretSettings(schema)).toEqual(['api_key', 'pair', 'smtp.password']);
  });

  it.each(['api_key', 'pair', 'smtp.password', 'tokens.anything'])('%s is one', (name) => {
    expect(findSecretNode(schema, name)).toMatchObject({ writeOnly: true });
  });

  it.each([
    'colour',
    'smtp',
    'smtp.host',
    'pair.id',
    'tokens',
    'tokens.a.b',
    '',
    '.',
    'api_key.',
    '__proto__',
    'tokens.__proto__',
    'tokens.constructor',
    'api_key\0',
    'a.b.c.d.e.f.g',
    'x'.repeat(100),
  ])('%j is none', (name) => {
    expect(findSecretNode(schema, name)).toBeUndefined();
  });

  it('of odd schemas are none', () => {
    for (const odd of [undefined, null, 7, [], { properties: [] }, { properties: { a: true } }]) {
      expect([findSecretNode(odd, 'a'), listSecretSettings(odd)]).toEqual([undefined, []]);
    }
  });

  it('are set when there is a value', () => {
    expect(hasSetting({ smtp: { password: 'x' } }, 'smtp.password')).toBe(true);
    for (const settings of [{}, { smtp: 'x' }, { smtp: { password: null } }, undefined]) {
      expect(hasSetting(settings, 'smtp.password')).toBe(false);
    }
    expect(hasSetting({}, 'constructor')).toBe(false);
  });
});
