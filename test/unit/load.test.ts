import type { Declaration } from '@plexichat/sdk/protocol/declaration';
import { describe, expect, it } from 'vitest';
import { createBundleStore } from '../../runtime/modules/bundle-store.ts';
import { type LoadOptions, loadModules } from '../../runtime/modules/load.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import { fakeGateway, fakeModule, OPEN } from '../support/fake-modules.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const NOTHING: Declaration = { endpoints: [], tasks: [], events: [], pages: [] };

/** Module folders by name: the lines of each config.yaml after its identity. */
function load(modules: Record<string, string>, options: Partial<LoadOptions> = {}) {
  const files = Object.entries(modules).map(([name, more]) => [
    `modules/${name}/config.yaml`,
    `module_name: ${name}\nmodule_version: 1.0.0\n${more}\n`,
  ]);
  const folder = tempFolder({ 'modules/readme': '', ...Object.fromEntries(files) });
  const registry = new Registry();
  const warnings: string[] = [];
  const loaded = loadModules({
    directory: `${folder}/modules`,
    environment: {},
    admit: async () => [],
    fillSecrets: async () => new Map(),
    chores: {
      bundle: async () => ({ code: 'x', map: '{}', hash: 'x', inputs: [], warnings: [] }),
      close: async () => {},
    },
    store: createBundleStore(`${folder}/bundles`),
    registry,
    learn: async () => NOTHING,
    findProblems: () => [],
    host: ({ manifest }) =>
      fakeModule({ name: manifest.module_name, manifest: { ...manifest, ...OPEN }, endpoints: { 'GET /': {} } }),
    onWarning: (module, message) => void warnings.push(`${module}: ${message}`),
    ...options,
  });
  const stateOf = (name: string) => registry.list().find((module) => module.name === name);
  return { loaded, registry, warnings, stateOf };
}

describe('while modules are loaded', () => {
  it('their callers are told to come again, from before the folder was read until they are there', async () => {
    const gate = Promise.withResolvers<Declaration>();
    const { loaded, registry, stateOf } = load({ slow: '', later: '' }, { learn: () => gate.promise });
    const app = fakeGateway([], { directory: registry });
    const ask = async (path: string) => {
      const response = await app.request(path);
      return [response.status, response.headers.get('retry-after')];
    };
    expect(await ask('/api/v1/later')).toEqual([503, '2']);
    await until(() => stateOf('later') !== undefined);
    expect(await ask('/api/v1/later/x')).toEqual([503, '2']);
    expect(await ask('/api/v1/nobody')).toEqual([404, null]);
    expect(stateOf('later')).toMatchObject({ state: 'installed', reasons: ['It is being loaded.'] });
    gate.resolve(NOTHING);
    await loaded;
    expect(await ask('/api/v1/later')).toEqual([200, null]);
  });
});

describe('a module whose dependency does not run', () => {
  it('waits with it, and shows the chain', async () => {
    const { loaded, stateOf } = load({
      base: 'required_permissions: ["http:example.com"]',
      middle: 'dependencies: [base]',
      top: 'dependencies: [middle]',
    });
    await loaded;
    expect(stateOf('base')?.state).toBe('installed');
    expect(stateOf('top')?.state).toBe('installed');
    expect(stateOf('top')?.reasons.join()).toMatch(/^top → middle → base: waits for the permission http:example\.com/);
  });

  it('fails with one that is disabled or that failed', async () => {
    const { loaded, stateOf } = load(
      { off: 'enabled: false', needs_off: 'dependencies: [off]', bad: '', needs_bad: 'dependencies: [bad]' },
      { findProblems: (_declaration, { module_name }) => (module_name === 'bad' ? ['GET / is bad'] : []) },
    );
    await loaded;
    expect(stateOf('needs_off')).toMatchObject({ state: 'failed', reasons: ['needs_off → off: off is not enabled.'] });
    expect(stateOf('needs_bad')).toMatchObject({ state: 'failed', reasons: ['needs_bad → bad: GET / is bad'] });
  });
});

describe('the operator is warned', () => {
  it('about settings that name a module which is not there', async () => {
    const { loaded, warnings } = load(
      { here: '' },
      { namedInSettings: { grants: ['here', 'wether'], 'jit.full': ['here', 'gone'] } },
    );
    await loaded;
    expect(warnings).toEqual([
      expect.stringMatching(/^wether: grants names the module wether, but .* has none of that name\.$/),
      expect.stringMatching(/^gone: jit\.full names the module gone/),
    ]);
  });

  it('once about what a module declares and this host does not run', async () => {
    const task = {
      name: 'refresh',
      retryCount: 0,
      timeout: 1,
      priority: 'normal',
      overlap: 'skip',
      missed: 'skip',
    } as const;
    const learn = async () => ({
      ...NOTHING,
      tasks: [task],
      events: [{ handler: 'on', pattern: 'user.login' }],
      pages: [{ handler: 'GET /home', path: '/home' }],
    });
    const { loaded, warnings } = load({ busy: 'database: { enabled: true }' }, { learn });
    await loaded;
    expect(warnings).toEqual(['busy: Declared, not run yet by this host: the page /home.']);
  });
});
