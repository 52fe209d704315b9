import { describe, expect, it } from 'vitest';
import { isMap } from '../../runtime/config/yaml-check.ts';
import type { FoundModule } from '../../runtime/modules/discover.ts';
import { filled } from '../../runtime/modules/fill-secrets.ts';
import { parseManifest } from '../../runtime/modules/manifest.ts';
import { layerSettings } from '../../runtime/modules/settings-layers.ts';
import { viewSettings } from '../../runtime/modules/settings-view.ts';
import { seededRandom } from '../support/seeded-random.ts';

const SCHEMA = `
settings_schema:
  required: [city]
  properties:
    city: { type: string, maxLength: 20 }
    unit: { enum: [celsius, kelvin], default: celsius }
    days: { type: integer, minimum: 1, maximum: 14, default: 3 }
    smtp:
      type: object
      properties:
        host: { type: string, default: localhost }
        port: { type: integer, default: 25 }
        password: { type: string, writeOnly: true }
    tags: { type: array, items: { type: string } }
`;

function found(settings = '{}', environment: Record<string, string> = {}, schema = SCHEMA): FoundModule {
  const text = `module_name: weather\nmodule_version: 1.0.0\nsettings: ${settings}\n${schema}`;
  const parsed = parseManifest(text, 'weather/config.yaml', { environment });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return { ...parsed, folder: '/modules/weather', name: 'weather' };
}

const variable = (path: string): string =>
  `PLEXI_MODULE__WEATHER__SETTINGS__${path.replaceAll('.', '__').toUpperCase()}`;

describe('what an operator set', () => {
  it('lies over config.yaml and the defaults, key by key', () => {
    const { settings, dropped } = layerSettings(found('{ city: Bonn, smtp: { host: mail } }'), {
      days: 7,
      smtp: { port: 587 },
      log_level: 'DEBUG',
    });
    expect(dropped).toEqual([]);
    expect(settings).toEqual({
      city: 'Bonn',
      unit: 'celsius',
      days: 7,
      smtp: { host: 'mail', port: 587 },
      debug: false,
      log_level: 'DEBUG',
    });
  });

  it('lies below the environment, above and below its key', () => {
    const module = found('{ city: Bonn }', { [variable('smtp.port')]: '99', [variable('tags')]: '["env"]' });
    expect(layerSettings(module, { smtp: { port: 1, host: 'mail' }, tags: ['mine'] }).settings).toMatchObject({
      smtp: { host: 'mail', port: 99 },
      tags: ['env'],
    });
  });

  it('brings the defaults of a part that config.yaml does not have', () => {
    expect(layerSettings(found(), { smtp: { host: 'mail' } }).settings).toMatchObject({
      smtp: { host: 'mail', port: 25 },
    });
  });

  it('is left out where it does not fit, and only there', () => {
    const { settings, layer, dropped } = layerSettings(found('{ city: Bonn }'), {
      days: 70,
      unit: 'kelvin',
      smtp: { port: 'x', host: 'mail' },
      log_level: 'LOUD',
      tags: ['a', 7],
    });
    expect(dropped.map(({ path }) => path.join('.')).sort()).toEqual(['days', 'log_level', 'smtp.port', 'tags.1']);
    expect(layer).toEqual({ unit: 'kelvin', smtp: { host: 'mail' } });
    expect(settings).toMatchObject({ city: 'Bonn', days: 3, smtp: { host: 'mail', port: 25 }, log_level: 'INFO' });
  });

  it('is not used as a secret when it was kept in the clear', () => {
    const { settings, dropped } = layerSettings(found('{ city: Bonn }'), { smtp: { password: 'was-plain', port: 1 } });
    expect(JSON.stringify(settings)).not.toContain('was-plain');
    expect(dropped).toMatchObject([{ path: ['smtp', 'password'] }]);
    expect(JSON.stringify(dropped)).not.toContain('was-plain');
  });

  it('gives a required setting its value', () => {
    expect(layerSettings(found(), {}).missing).toEqual(['city']);
    expect(layerSettings(found(), { city: 'Bonn' }).missing).toEqual([]);
  });

  it('never makes a prototype of a key', () => {
    const layer = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    const { settings } = layerSettings(found('{ city: Bonn }', {}, ''), layer);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(settings)).toBe(Object.prototype);
  });

  it('reaches the module as it is loaded, before the secrets do', async () => {
    const warnings: string[] = [];
    const manifest = await filled(found('{ city: Bonn }'), {
      fillSettings: async (_name, version) => (version === '1.0.0' ? { days: 7, unit: 'rankine' } : {}),
      fillSecrets: async () => new Map([['smtp.password', '"swordfish"']]),
      onWarning: (_name, message) => void warnings.push(message),
    });
    expect(manifest.settings).toMatchObject({ days: 7, unit: 'celsius', smtp: { password: 'swordfish' } });
    expect(warnings).toEqual([
      expect.stringMatching(/^The setting unit of an operator does not fit version 1\.0\.0: /),
    ]);
  });
});

describe('whatever the layers hold', () => {
  const LEAVES = ['city', 'days', 'smtp.host', 'smtp.port', 'free', 'deep.er.key', 'tags'] as const;

  it('the environment wins over the operator, the operator over config.yaml, and that over the default', () => {
    const random = seededRandom();
    const chance = (odds: number): boolean => random() < odds;
    for (let round = 0; round < 300; round++) {
      const layers = { config: {}, operator: {} } as Record<'config' | 'operator', Record<string, unknown>>;
      const environment: Record<string, string> = {};
      const expected = new Map<string, [value: unknown, source: string]>();
      for (const leaf of LEAVES) {
        const fallback = DEFAULTS[leaf];
        if (fallback !== undefined) expected.set(leaf, [fallback, 'default']);
        if (chance(0.5)) expected.set(leaf, [place(layers.config, leaf, draw(leaf, random)), 'config.yaml']);
        if (chance(0.5)) expected.set(leaf, [place(layers.operator, leaf, draw(leaf, random)), 'operator']);
        if (chance(0.3)) {
          const value = draw(leaf, random);
          environment[variable(leaf)] = typeof value === 'string' ? value : JSON.stringify(value);
          expected.set(leaf, [value, 'environment']);
        }
      }
      // Defaults below a section are there once the section is.
      const hasSmtp = [...expected].some(([leaf, [, source]]) => leaf.startsWith('smtp.') && source !== 'default');
      if (!hasSmtp) for (const leaf of ['smtp.host', 'smtp.port']) expected.delete(leaf);
      const module = found(JSON.stringify(layers.config), environment);
      const kept = { settings: layers.operator, setAt: null, setBy: null };
      const { values, sources, dropped } = viewSettings(module, kept, new Set());
      expect(dropped).toEqual([]);
      for (const leaf of LEAVES) {
        const value = leaf.split('.').reduce<unknown>((here, step) => (isMap(here) ? here[step] : undefined), values);
        expect([leaf, value, sources[leaf]]).toEqual([leaf, ...(expected.get(leaf) ?? [undefined, undefined])]);
      }
    }
  });

  const DEFAULTS: Readonly<Record<string, unknown>> = { days: 3, 'smtp.host': 'localhost', 'smtp.port': 25 };

  function draw(leaf: string, random: () => number): unknown {
    if (leaf === 'days') return 1 + Math.floor(random() * 14);
    if (leaf === 'smtp.port') return Math.floor(random() * 65_536);
    if (leaf === 'tags') return Array.from({ length: Math.floor(random() * 3) }, () => word(random));
    return word(random);
  }

  function word(random: () => number): string {
    return `w${Math.floor(random() * 1e6).toString(36)}`;
  }

  function place(root: Record<string, unknown>, leaf: string, value: unknown): unknown {
    const steps = leaf.split('.');
    let here = root;
    for (const step of steps.slice(0, -1)) {
      here[step] ??= {};
      here = here[step] as Record<string, unknown>;
    }
    here[steps.at(-1) ?? ''] = value;
    return value;
  }
});
