/** One version takes the place of another, or a module goes: what each of them may meanwhile, and afterwards. */
import { expect, it } from 'vitest';
import { formatPermission, parsePermission } from '../../runtime/capabilities/permission.ts';
import { createModuleLoading, type ModuleLoadingParts } from '../../runtime/compose/module-loading.ts';
import type { HostSettings } from '../../runtime/config/settings-schema.ts';
import { createBundleStore } from '../../runtime/modules/bundle-store.ts';
import { discoverModule } from '../../runtime/modules/discover.ts';
import { openGrantBook } from '../../runtime/modules/grant-book.ts';
import { HostedModule } from '../../runtime/modules/hosted-module.ts';
import { openModuleBook } from '../../runtime/modules/module-book.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import { Slots } from '../../runtime/modules/slots.ts';
import { openMemoryState } from '../support/memory-state.ts';
import { tempFolder } from '../support/temp-folder.ts';

const NOTHING = { endpoints: [], tasks: [], events: [], pages: [] };

/** A thread that boots at once and drains for as long as the test says. */
function fakeThread(version: string, drained: string[], gate: () => Promise<void>): unknown {
  return {
    alive: true,
    serving: true,
    busy: 0,
    usage: { cpuMs: 0, heapBytes: 0, externalBytes: 0, delayMs: 0, calls: 0, bytes: 0, lines: 0 },
    cell: { alive: true },
    ended: Promise.resolve(),
    initialize: async () => {},
    terminate: () => {},
    stop: async () => {},
    async drain() {
      await gate();
      drained.push(version);
    },
  };
}

async function open() {
  const config = (version: string, needs: string) =>
    `module_name: demo\nmodule_version: ${version}\noptional_permissions: [${needs}]\n`;
  const root = tempFolder({
    'modules/demo/config.yaml': config('1.0.0', 'database'),
    'modules/demo/module.js': 'export default class Demo {}',
    'next/config.yaml': config('2.0.0', 'database, "users:read"'),
    'next/module.js': 'export default class Demo {}',
  });
  const state = openMemoryState();
  const registry = new Registry();
  const grants = await openGrantBook({ state, settings: {}, onWarning: () => {}, onFailure: () => {} });
  const drained: string[] = [];
  const hold = { gate: Promise.resolve(), onEnter: (): void => {} };
  const loading = createModuleLoading(
    { modules: `${root}/modules`, grants: {}, diagnostics: [], jit: { full: [] } } as unknown as HostSettings,
    {
      environment: {},
      openDatabase: async () => {},
      openClassroom: () => ({ close: async () => {} }),
      spawnIn: () => () => {},
      store: createBundleStore(`${root}/bundles`),
      registry,
      book: await openModuleBook(state),
      folderOf: () => undefined,
      security: {
        grants,
        vault: { read: async () => new Map(), keptFor: async () => [] },
        settings: {
          read: async () => ({ settings: {} }),
          enter: async (_name: string, version: string) => {
            if (version === '2.0.0') hold.onEnter();
            if (state.isAway) throw new Error('the state is away');
          },
        },
      },
      powers: new Map(),
      modules: {
        learn: async () => NOTHING,
        host: ({ manifest }: { manifest: HostedModule['manifest'] }) =>
          new HostedModule({
            manifest,
            declaration: NOTHING,
            limits: { instances: 1, concurrency: 1, idleMs: 60_000, bootMs: 1_000 },
            readCode: async () => new Uint8Array(),
            spawn: () => fakeThread(manifest.module_version, drained, () => hold.gate),
            comebacks: new Slots(2, 10),
            isAlone: () => true,
            onChange: () => {},
            onLoss: () => {},
            onRecycle: () => {},
            onReplace: () => {},
          } as unknown as ConstructorParameters<typeof HostedModule>[0]),
      },
      drainMs: 10_000,
      log: { warn: () => {}, error: () => {} },
    } as unknown as ModuleLoadingParts,
  );
  await loading.loadAll();
  const first = registry.get('demo') as HostedModule;
  await first.start();
  const grant = async (text: string, { manifest }: Pick<HostedModule, 'manifest'>) => {
    const parsed = parsePermission(text);
    if (parsed.ok) await grants.grant(manifest, [parsed.permission], 'olga');
  };
  const next = await discoverModule(`${root}/next`, {});
  if (!next.ok) throw new Error(next.reasons.join(' '));
  const granted = () => grants.granted('demo').map(formatPermission);
  return { state, registry, loading, grant, granted, first, next, drained, hold };
}

it('a version that cannot be written down as the one in force leaves the old one what it had, and no more', async () => {
  const { state, registry, loading, grant, granted, first, next, hold } = await open();
  await grant('database', first);
  await grant('users:read', next);
  hold.onEnter = () => {
    state.isAway = true;
  };
  expect(await loading.upgrade(next, { enforce: async () => {} })).toEqual(['the state is away']);
  expect([registry.get('demo'), granted()]).toEqual([first, ['database']]);
  state.isAway = false;
  hold.onEnter = () => {};
  expect(await loading.upgrade(next, { enforce: async () => {} })).toBeUndefined();
  expect(granted().sort()).toEqual(['database', 'users:read']);
  await loading.takeOut('demo');
});

it('a module is not gone before the versions whose place was taken are', async () => {
  const { registry, loading, next, drained, hold } = await open();
  const gate = Promise.withResolvers<void>();
  hold.gate = gate.promise;
  expect(await loading.upgrade(next, { enforce: async () => {} })).toBeUndefined();
  let isGone = false;
  const gone = loading.takeOut('demo').then(() => {
    isGone = true;
  });
  let isRetired = false;
  const retired = loading.retired().then(() => {
    isRetired = true;
  });
  // Long enough for a removal that waits for nobody.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect([isGone, isRetired, registry.get('demo')?.version, drained]).toEqual([false, false, '2.0.0', []]);
  gate.resolve();
  await Promise.all([gone, retired]);
  expect([registry.get('demo'), drained]).toEqual([undefined, ['1.0.0']]);
});
