/** What a package may not take from a module that is there, or was: its paths, its name's publisher, its data. */
import { afterEach, describe, expect, it } from 'vitest';
import type { FoundModule } from '../../runtime/modules/discover.ts';
import { openGrantBook } from '../../runtime/modules/grant-book.ts';
import { createIdleModule } from '../../runtime/modules/idle-module.ts';
import { Installer } from '../../runtime/modules/installer.ts';
import { openModuleBook } from '../../runtime/modules/module-book.ts';
import { OneAtATime } from '../../runtime/modules/one-at-a-time.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import type { PackageStore, Staged } from '../../runtime/packages/package-store.ts';
import { type FakeModuleOptions, fakeModule } from '../support/fake-modules.ts';
import { openMemoryState } from '../support/memory-state.ts';

interface Pack {
  readonly name?: string;
  readonly version?: string;
  readonly prefix?: string;
  readonly publisher?: string;
  readonly needs?: readonly string[];
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function room() {
  const state = openMemoryState();
  const book = await openModuleBook(state);
  const registry = new Registry();
  const grants = await openGrantBook({ state, settings: {}, onWarning: () => {}, onFailure: () => {} });
  const shelf = new Map<string, Staged>();
  const shadowed = new Set<string>();
  const upgrading = { problems: undefined as readonly string[] | undefined };
  const broken = new Set<string>();
  let next: Staged | undefined;
  const ofName = (name: string) => [...shelf.values()].filter((staged) => staged.name === name);
  const packages = {
    stage: async () => next,
    commit: async (staged: Staged) => void shelf.set(staged.folder, staged),
    drop: async () => {},
    folderOf: (name: string, version: string) => ofName(name).find((staged) => staged.version === version)?.folder,
    versions: (name: string) => ofName(name).map((staged) => ({ ...staged, storedAt: 1 })),
    remove: async (name: string, version: string) => void shelf.delete(`${name} ${version}`),
  } as unknown as PackageStore;
  const installer = new Installer({
    registry,
    grants,
    book,
    packages,
    turns: new OneAtATime(),
    publishers: { publishers: {}, requireSignature: false },
    trialMs: 1_000,
    loading: {
      isShadowed: (name) => shadowed.has(name),
      place: () => {},
      async loadAgain(name, isForced) {
        const before = registry.get(name);
        const { manifest, version } = ofName(name).find((staged) => staged.version === book.get(name)?.version) ?? {};
        const isIdle = before?.state === 'installed' || before?.state === 'failed' || before?.state === 'disabled';
        if (manifest === undefined || (!isIdle && !isForced)) return;
        if (!broken.has(`${name} ${version}`)) registry.add(fakeModule({ name, manifest, version: version ?? '' }));
        else if (isIdle) registry.add(createIdleModule(manifest, 'failed', ['It is broken.']));
      },
      async upgrade(found, { enforce }) {
        if (upgrading.problems !== undefined) return upgrading.problems;
        await enforce();
        const { name, manifest } = found;
        registry.add(fakeModule({ name, version: manifest.module_version, manifest }));
        return undefined;
      },
      rest: async () => {},
      async takeOut(name) {
        registry.remove(name);
      },
    },
    async find(folder) {
      const { name, manifest } = shelf.get(folder) as Staged;
      return { ok: true, folder, name, manifest } as unknown as FoundModule;
    },
    onNotice: () => {},
    onFailure: () => {},
  });
  closing.push(() => installer.close());
  const install = ({ name = 'demo', version = '1.0.0', prefix = `/api/v1/${name}`, publisher, needs = [] }: Pack) => {
    const { manifest } = fakeModule({ name, version, manifest: { api: { prefix }, required_permissions: needs } });
    next = { folder: `${name} ${version}`, name, version, hash: 'x', publisher, bytes: 1, manifest };
    return installer.install((async function* () {})(), 'olga');
  };
  const serve = (module: FakeModuleOptions): void => registry.add(fakeModule(module));
  return { book, registry, shelf, shadowed, upgrading, broken, installer, install, serve };
}

describe('the paths of a module', () => {
  it.each(['running', 'sleeping', 'stopped', 'installed', 'failed', 'disabled'] as const)(
    'are refused to a package while it is %s, also above and below',
    async (state) => {
      const { registry, shelf, install, serve } = await room();
      serve({ name: 'weather', prefix: '/api/v1/my/weather', state });
      for (const prefix of ['/api/v1/my/weather', '/api/v1/my', '/api/v1/my/weather/now']) {
        await expect(install({ name: 'evil', prefix }), prefix).rejects.toMatchObject({
          code: 'INVALID_INPUT',
          message: expect.stringMatching(/evil .*weather: give the package another one, or remove weather first/),
        });
      }
      expect([registry.find('/api/v1/my/weather')?.name, shelf.size]).toEqual(['weather', 0]);
    },
  );

  it('are refused to a later version too, and to one that operators go back to', async () => {
    const { book, registry, install, installer, serve } = await room();
    await install({ name: 'evil', prefix: '/api/v1/weather' });
    await install({ name: 'evil', version: '2.0.0' });
    serve({ name: 'weather' });
    await expect(install({ name: 'evil', version: '3.0.0', prefix: '/api/v1/weather' })).rejects.toThrow(/weather/);
    await expect(installer.rollBack('evil', '1.0.0')).rejects.toThrow(/taken by weather/);
    expect([book.get('evil')?.version, registry.find('/api/v1/weather')?.name]).toEqual(['2.0.0', 'weather']);
  });

  it('are its own through every upgrade, and another that claims them keeps it from none', async () => {
    const { book, install, serve } = await room();
    await install({ name: 'weather' });
    const since = book.get('weather')?.installedAt;
    serve({ name: 'thief', prefix: '/api/v1/weather', state: 'failed' });
    expect(await install({ name: 'weather', version: '1.1.0' })).toMatchObject({ outcome: 'upgraded' });
    expect(book.get('weather')?.installedAt).toBe(since);
  });
});

describe('what a removed module left', () => {
  const removed = async (publisher?: string) => {
    const made = await room();
    await made.install({ version: '2.0.0', ...(publisher === undefined ? {} : { publisher }) });
    await made.book.change('demo', { removedAt: 1 });
    made.registry.remove('demo');
    return made;
  };

  it('is nobody’s when nobody signed it: it is purged first', async () => {
    const { book, registry, install } = await removed();
    for (const publisher of [undefined, 'A']) {
      const pack = publisher === undefined ? {} : { publisher };
      await expect(install({ version: '2.0.0', ...pack })).rejects.toThrow(/nobody signed is kept: purge it first/);
    }
    expect([book.get('demo'), registry.get('demo')]).toEqual([undefined, undefined]);
    await book.forget('demo');
    expect(await install({ version: '1.0.0' })).toMatchObject({ outcome: 'installed' });
  });

  it('is its publisher’s, and not for a version before the one that left it', async () => {
    const { install } = await removed('A');
    await expect(install({ version: '3.0.0', publisher: 'B' })).rejects.toThrow(/cannot be installed/);
    await expect(install({ version: '3.0.0' })).rejects.toThrow(/cannot be installed/);
    await expect(install({ version: '1.9.0', publisher: 'A' })).rejects.toThrow(
      /2\.0\.0 is kept, and 1\.9\.0 is older/,
    );
    expect(await install({ version: '2.0.1', publisher: 'A' })).toMatchObject({ outcome: 'installed' });
  });
});

describe('the publisher of a name', () => {
  it('is not the one of a version that was refused, nor of one that waits', async () => {
    const { book, upgrading, install, installer } = await room();
    await install({});
    upgrading.problems = ['It does not boot.'];
    await expect(install({ version: '2.0.0', publisher: 'B' })).rejects.toThrow(/does not take over/);
    expect(book.get('demo')?.publisher).toBeUndefined();
    upgrading.problems = undefined;
    expect(await install({ version: '2.1.0', publisher: 'B', needs: ['database'] })).toMatchObject({
      outcome: 'pending',
    });
    expect(book.get('demo')?.publisher).toBeUndefined();
    await installer.rollBack('demo', '1.0.0');
    expect(await install({ version: '1.1.0', publisher: 'A' })).toMatchObject({ outcome: 'upgraded' });
    expect(book.get('demo')?.publisher).toBe('A');
    await expect(install({ version: '2.2.0', publisher: 'B' })).rejects.toThrow(/cannot be installed/);
  });
});

it('a stopped module whose next version cannot be loaded is that version, with what is wrong', async () => {
  const { book, registry, broken, install, serve } = await room();
  await install({});
  serve({ state: 'stopped' });
  broken.add('demo 2.0.0');
  await install({ version: '2.0.0' });
  expect(registry.get('demo')).toMatchObject({ version: '2.0.0', state: 'failed', reasons: ['It is broken.'] });
  expect(book.get('demo')).toMatchObject({ version: '2.0.0', previous: '1.0.0' });
});

it('a package never takes the place of a folder of its name, also when it was there before the folder', async () => {
  const { book, registry, shadowed, install, installer } = await room();
  await install({});
  await install({ version: '1.1.0' });
  shadowed.add('demo');
  const served = registry.get('demo');
  await expect(install({ version: '2.0.0' })).rejects.toThrow(/folder of modules has a module demo/);
  expect(() => installer.versions({ name: 'demo', version: '1.0.0' })).not.toThrow();
  await expect(installer.rollBack('demo', '1.0.0')).rejects.toThrow(/not installed from a package/);
  expect([book.get('demo')?.version, registry.get('demo')]).toEqual(['1.1.0', served]);
});
