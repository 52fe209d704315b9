/** One module of a host that runs is loaded again, and whoever waited for it. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Permission, parsePermission } from '../../runtime/capabilities/permission.ts';
import { createBundleStore } from '../../runtime/modules/bundle-store.ts';
import { type LoadOptions, loadModules } from '../../runtime/modules/load.ts';
import { loadAgain } from '../../runtime/modules/load-again.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import { fakeModule } from '../support/fake-modules.ts';
import { tempFolder } from '../support/temp-folder.ts';

const NEEDS = 'required_permissions: [database]';

async function loaded(modules: Record<string, string>) {
  const root = tempFolder({ 'modules/readme': '' });
  const write = (name: string, more: string, version = '1.0.0'): void => {
    mkdirSync(join(root, 'modules', name), { recursive: true });
    writeFileSync(
      join(root, 'modules', name, 'config.yaml'),
      `module_name: ${name}\nmodule_version: ${version}\n${more}\n`,
    );
  };
  for (const [name, more] of Object.entries(modules)) write(name, more);
  const registry = new Registry();
  const granted = new Map<string, Permission[]>();
  const log = { warnings: [] as string[], retired: [] as string[], loaded: [] as string[], admitted: [] as string[] };
  const options: LoadOptions = {
    directory: join(root, 'modules'),
    environment: {},
    async admit({ module_name, module_version }) {
      log.admitted.push(`${module_name} ${module_version}`);
      return granted.get(module_name) ?? [];
    },
    fillSecrets: async () => new Map(),
    chores: {
      bundle: async () => ({ code: 'x', map: '{}', hash: 'x', inputs: [], warnings: [] }),
      close: async () => {},
    },
    store: createBundleStore(join(root, 'bundles')),
    registry,
    learn: async () => ({ endpoints: [], tasks: [], events: [], pages: [] }),
    findProblems: () => [],
    host: ({ manifest }) =>
      fakeModule({
        name: manifest.module_name,
        version: manifest.module_version,
        prefix: manifest.api.prefix,
        manifest: { ...manifest },
      }),
    onWarning: (module, message) => void log.warnings.push(`${module}: ${message}`),
  };
  const folders = await loadModules(options);
  const again = (name: string, isForced = false) =>
    loadAgain(name, isForced, {
      ...options,
      folders,
      retire: ({ name: old, version }) => void log.retired.push(`${old} ${version}`),
      onLoaded: ({ name: fresh }) => void log.loaded.push(fresh),
    });
  const grant = (name: string, text = 'database'): void => {
    const parsed = parsePermission(text);
    if (parsed.ok) granted.set(name, [...(granted.get(name) ?? []), parsed.permission]);
  };
  const states = () => Object.fromEntries(registry.list().map(({ name, state }) => [name, state]));
  return { root, write, registry, log, again, grant, states };
}

it('takes with it those that waited for it, in the order of their dependencies, and no others', async () => {
  const { log, again, grant, states } = await loaded({
    base: NEEDS,
    middle: 'dependencies: [base]',
    top: 'dependencies: [middle]\npriority: 0',
    own: `dependencies: [base]\n${NEEDS}`,
    other: NEEDS,
    well: '',
  });
  expect(states()).toMatchObject({ base: 'installed', middle: 'installed', top: 'installed', well: 'running' });
  grant('base');
  await again('base');
  expect(states()).toEqual({
    base: 'running',
    middle: 'running',
    top: 'running',
    own: 'installed',
    other: 'installed',
    well: 'running',
  });
  expect([log.loaded, log.retired, log.warnings]).toEqual([['base', 'middle', 'top'], [], []]);
});

it('one that runs is let alone, unless it has to be: then another takes its place', async () => {
  const { log, again, registry } = await loaded({ well: '' });
  const before = registry.get('well');
  await again('well');
  expect(registry.get('well')).toBe(before);
  await again('well', true);
  expect(registry.get('well')).not.toBe(before);
  expect([log.retired, log.loaded]).toEqual([['well 1.0.0'], ['well']]);
});

it.each([
  ['a torn config.yaml', 'priority: [', /could not be loaded again/],
  ['one that asks for more', NEEDS, /waits for the permission database/],
  ['one that is switched off', 'enabled: false', /enabled: false/],
  ['one that needs what is not there', 'dependencies: [nobody]', /no module has the name nobody/],
  ['one that claims the prefix of another', 'api: { prefix: /api/v1/other }\npriority: 0', /taken by|clashes with/],
])('one that runs goes on when its folder has %s by now, with what it was granted', async (_what, more, words) => {
  const { log, again, registry, write } = await loaded({ well: '', other: '' });
  const before = registry.get('well');
  write('well', more, '2.0.0');
  await again('well', true);
  expect(registry.get('well')).toBe(before);
  expect(registry.find('/api/v1/other')?.name).toBe('other');
  expect(log.warnings.join('\n')).toMatch(words);
  expect([log.retired, log.loaded]).toEqual([[], []]);
  if (log.admitted.includes('well 2.0.0')) expect(log.admitted.at(-1)).toBe('well 1.0.0');
});

it('one that serves keeps its prefix when it is loaded again, whatever one that failed over it says of itself', async () => {
  const { again, registry, write, states } = await loaded({ well: '', thief: 'api: { prefix: /api/v1/well }' });
  expect([registry.find('/api/v1/well')?.name, states()]).toEqual(['thief', { well: 'failed', thief: 'running' }]);
  write('well', 'priority: 0');
  await again('well');
  expect([registry.find('/api/v1/well')?.name, registry.get('well')?.state]).toEqual(['thief', 'failed']);
  const before = registry.get('thief');
  await again('thief', true);
  expect(registry.get('thief')).not.toBe(before);
  expect([registry.find('/api/v1/well')?.name, registry.get('thief')?.state]).toEqual(['thief', 'running']);
});

it('one that is enabled does not get a prefix back that another one serves by now', async () => {
  const { again, registry, write } = await loaded({
    well: 'enabled: false\npriority: 0',
    late: 'api: { prefix: /api/v1/well }',
  });
  expect(registry.find('/api/v1/well')?.name).toBe('late');
  write('well', 'priority: 0');
  await again('well');
  expect(registry.get('well')).toMatchObject({ state: 'failed', reasons: [expect.stringMatching(/late/)] });
  expect(registry.find('/api/v1/well')?.name).toBe('late');
});

it('one that waits fails by what its folder has become, and is mended by the next time', async () => {
  const { again, registry, write, grant } = await loaded({ base: NEEDS });
  grant('base');
  write('base', 'priority: [');
  await again('base');
  expect(registry.get('base')?.state).toBe('failed');
  write('other_name', '');
  write('base', NEEDS);
  await again('base');
  expect(registry.get('base')?.state).toBe('running');
});

it('a folder that became a link, or another module, is not followed', async () => {
  const { root, again, registry, write, grant } = await loaded({ base: NEEDS, second: NEEDS });
  grant('base');
  grant('second');
  write('elsewhere', '');
  renameSync(join(root, 'modules', 'elsewhere'), join(root, 'elsewhere'));
  rmSync(join(root, 'modules', 'base'), { recursive: true });
  symlinkSync(join(root, 'elsewhere'), join(root, 'modules', 'base'));
  await again('base');
  expect(registry.get('base')).toMatchObject({ state: 'failed', reasons: ['Its folder is a link now.'] });
  writeFileSync(join(root, 'modules', 'second', 'config.yaml'), 'module_name: base\nmodule_version: 1.0.0\n');
  await again('second');
  expect(registry.get('second')).toMatchObject({
    state: 'failed',
    reasons: ['Its config.yaml says that it is base now.'],
  });
});

it('a name of no module is nothing', async () => {
  const { again, log } = await loaded({ well: '' });
  await again('nobody', true);
  expect(log.loaded).toEqual([]);
});
