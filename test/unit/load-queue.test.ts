import { expect, it } from 'vitest';
import { createLoadQueue, type LoadingRoom } from '../../runtime/compose/load-queue.ts';
import { createLoadingModule } from '../../runtime/modules/idle-module.ts';
import type { LoadOptions } from '../../runtime/modules/load.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import { fakeModule } from '../support/fake-modules.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

function open() {
  const folder = tempFolder({ 'demo/config.yaml': 'module_name: demo\nmodule_version: 1.0.0\n' });
  const registry = new Registry();
  const rooms: string[] = [];
  const bundling: PromiseWithResolvers<never>[] = [];
  const queue = createLoadQueue({
    openRoom(): LoadingRoom {
      rooms.push('open');
      return {
        chores: {
          bundle: () => {
            const work = Promise.withResolvers<never>();
            bundling.push(work);
            return work.promise;
          },
          close: async () => {},
        },
        spawnToLearn: () => {
          throw new Error('not reached');
        },
        close: async () => {
          rooms.push('close');
          for (const work of bundling) work.reject(new Error('the room was closed'));
        },
      };
    },
    optionsIn: ({ chores }): LoadOptions => ({
      directory: folder,
      environment: {},
      admit: async () => [],
      fillSecrets: async () => new Map(),
      chores,
      store: { put: async () => {}, readCode: async () => new Uint8Array(), readMap: async () => '' },
      registry,
      learn: async () => ({ endpoints: [], tasks: [], events: [], pages: [] }),
      findProblems: () => [],
      host: ({ manifest }) => fakeModule({ name: manifest.module_name }),
      onWarning: () => {},
    }),
    retire: () => {},
    onLoaded: () => {},
  });
  const bundled = async (): Promise<void> => {
    await until(() => bundling.length > 0);
  };
  return { queue, registry, rooms, bundling, bundled };
}

it('ends what is under way, and begins nothing of what waits', async () => {
  const { queue, registry, rooms, bundling, bundled } = open();
  const loaded = queue.loadAll();
  const again = queue.loadAgain('demo', true);
  await bundled();
  await queue.close();
  await Promise.all([loaded, again]);
  expect(registry.get('demo')).toMatchObject({ state: 'failed', reasons: ['the room was closed'] });
  expect([rooms[0], bundling.length]).toEqual(['open', 1]);
});

it('what is done in turn waits for the load that is under way, and does not begin once it is closed', async () => {
  const { queue, bundling, bundled } = open();
  const done: string[] = [];
  const loaded = queue.loadAll().then(() => done.push('loaded'));
  await bundled();
  const turn = queue.inTurn(async () => void done.push('turn'));
  bundling[0]?.reject(new Error('torn'));
  await Promise.all([loaded, turn]);
  expect(done).toEqual(['loaded', 'turn']);
  await expect(queue.inTurn(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
  await queue.close();
  await queue.inTurn(async () => void done.push('late'));
  expect(done).toHaveLength(2);
});

it('one module that is asked for many times while it waits is loaded once', async () => {
  const { queue, registry, bundling, bundled } = open();
  const loaded = queue.loadAll();
  await bundled();
  const asked = Array.from({ length: 500 }, () => queue.loadAgain('demo', true));
  expect(new Set(asked).size).toBe(1);
  registry.add(createLoadingModule(fakeModule({ name: 'demo' }).manifest));
  bundling[0]?.reject(new Error('torn'));
  await loaded;
  await until(() => bundling.length > 1);
  bundling[1]?.reject(new Error('torn again'));
  await Promise.all(asked);
  expect(bundling).toHaveLength(2);
  expect(registry.get('demo')?.reasons).toEqual(['torn again']);
});
