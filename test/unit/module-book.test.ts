/** What is kept about installed modules, who may change a module's life when, and what is left when it is over. */
import { describe, expect, it } from 'vitest';
import { openGrantBook } from '../../runtime/modules/grant-book.ts';
import { type InstalledModule, openModuleBook } from '../../runtime/modules/module-book.ts';
import { OneAtATime } from '../../runtime/modules/one-at-a-time.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import { KEEP_MS, Remover } from '../../runtime/modules/remover.ts';
import { retireModule } from '../../runtime/modules/retire-module.ts';
import { Trials } from '../../runtime/modules/trial.ts';
import { purgeModule } from '../../runtime/state/purge-module.ts';
import { fakeModule } from '../support/fake-modules.ts';
import { openMemoryState } from '../support/memory-state.ts';

const ROW: InstalledModule = {
  module: 'demo',
  version: '1.0.0',
  previous: undefined,
  candidate: undefined,
  tablesOf: undefined,
  trialUntil: undefined,
  publisher: undefined,
  installedAt: 1,
  installedBy: 'olga',
  removedAt: undefined,
};

describe('the book of modules', () => {
  it('has after a restart what was written last, each module whole', async () => {
    const state = openMemoryState();
    const book = await openModuleBook(state);
    await book.put(ROW);
    await book.put({ ...ROW, module: 'other', publisher: 'key' });
    await book.change('demo', { version: '2.0.0', previous: '1.0.0', trialUntil: 99, tablesOf: '2.0.0' });
    await book.switch('demo', false);
    const again = await openModuleBook(state);
    expect(again.installed).toEqual([
      { ...ROW, version: '2.0.0', previous: '1.0.0', trialUntil: 99, tablesOf: '2.0.0' },
      { ...ROW, module: 'other', publisher: 'key' },
    ]);
    expect([again.isEnabled('demo'), again.isEnabled('other')]).toEqual([false, undefined]);
  });

  it('says nothing that it could not write', async () => {
    const state = openMemoryState();
    const book = await openModuleBook(state);
    await book.put(ROW);
    state.isAway = true;
    await expect(book.change('demo', { version: '2.0.0' })).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    await expect(book.switch('demo', false)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    expect([book.get('demo')?.version, book.isEnabled('demo')]).toEqual(['1.0.0', undefined]);
  });
});

describe('changes of one life', () => {
  it('come one after the other: operators are told to wait, the host waits', async () => {
    const turns = new OneAtATime();
    const first = Promise.withResolvers<void>();
    const done: string[] = [];
    const one = turns.take('demo', () => first.promise.then(() => void done.push('one')));
    await expect(turns.take('demo', async () => {})).rejects.toMatchObject({ code: 'MODULE_UNAVAILABLE' });
    const two = turns.wait('demo', async () => void done.push('two'));
    await turns.take('other', async () => void done.push('other'));
    first.resolve();
    await Promise.all([one, two]);
    expect(done).toEqual(['other', 'one', 'two']);
    await turns.idle();
    await turns.take('demo', async () => void done.push('three'));
  });
});

async function removal() {
  const state = openMemoryState();
  const book = await openModuleBook(state);
  const registry = new Registry();
  const grants = await openGrantBook({ state, settings: {}, onWarning: () => {}, onFailure: () => {} });
  const log = { calls: [] as string[], failures: [] as unknown[] };
  const clock = { now: 1_000 };
  const broken = { isBroken: false };
  const shadowed = new Set<string>();
  const remover = new Remover({
    registry,
    book,
    grants,
    packages: { versions: () => [], remove: async () => {} },
    loading: {
      isShadowed: (name) => shadowed.has(name),
      rest: async (name) => void log.calls.push(`rest ${name}`),
      async takeOut(name) {
        registry.remove(name);
      },
    },
    turns: new OneAtATime(),
    purges: [
      async () => {
        if (broken.isBroken) throw new Error('the disk is away');
      },
      (name) => purgeModule(state, name),
    ],
    onRemoved: () => {},
    onPurged: (name) => void log.calls.push(`purged ${name}`),
    onFailure: (_name, error) => void log.failures.push(error),
    now: () => clock.now,
  });
  await book.put(ROW);
  registry.add(fakeModule({}));
  for (const module of ['demo', 'other']) {
    await state.query("INSERT INTO storage_entries (module, name, value, size_bytes) VALUES (?, 'a', 'b', 1)", [
      module,
    ]);
    await state.query("INSERT INTO secrets VALUES (?, 'key', 'sealed', 1, 'olga')", [module]);
    await state.query("INSERT INTO grants VALUES (?, '1.0.0', 'database', 1, 'olga')", [module]);
  }
  const kept = async () =>
    (await state.query('SELECT module FROM storage_entries ORDER BY module')).map(({ module }) => module);
  return { state, book, registry, remover, clock, broken, shadowed, log, kept };
}

describe('a removed module', () => {
  it('leaves its data for 30 days, then nothing of it is left, and of others all', async () => {
    const { state, book, remover, clock, log, kept } = await removal();
    expect(await remover.remove('demo', false)).toEqual({ name: 'demo', state: 'removed', dataUntil: 1_000 + KEEP_MS });
    clock.now += KEEP_MS - 1;
    await remover.sweep();
    expect(await kept()).toEqual(['demo', 'other']);
    clock.now += 1;
    await remover.sweep();
    expect(await kept()).toEqual(['other']);
    expect(state.dump()).not.toContain('demo');
    expect([book.trace('demo'), log.calls]).toEqual([undefined, ['rest demo', 'purged demo']]);
  });

  it('is purged again when that failed, and remembered until then', async () => {
    const { book, remover, broken, log, kept } = await removal();
    broken.isBroken = true;
    await expect(remover.remove('demo', true)).rejects.toThrow('the disk is away');
    expect([book.trace('demo')?.removedAt, await kept()]).toEqual([1_000, ['demo', 'other']]);
    broken.isBroken = false;
    expect(await remover.remove('demo', true)).toMatchObject({ dataUntil: undefined });
    expect([await kept(), log.failures]).toEqual([['other'], []]);
  });

  it('keeps its data when a folder of its name is served by then', async () => {
    const { book, registry, remover, clock, kept } = await removal();
    await remover.remove('demo', false);
    registry.add(fakeModule({}));
    clock.now += KEEP_MS;
    await remover.sweep();
    expect([await kept(), book.trace('demo')]).toEqual([['demo', 'other'], undefined]);
  });

  it('keeps its data when a folder of its name is there that cannot be read', async () => {
    const { registry, remover, clock, kept } = await removal();
    await remover.remove('demo', false);
    registry.addBroken({ name: 'demo', reasons: ['config.yaml is torn'] });
    clock.now += KEEP_MS;
    await remover.sweep();
    expect(await kept()).toEqual(['demo', 'other']);
  });

  it('is let alone while a folder of its name is served in its place', async () => {
    const { book, remover, shadowed, log, kept } = await removal();
    shadowed.add('demo');
    await expect(remover.remove('demo', true)).rejects.toThrow(/folder of modules/);
    expect([book.get('demo'), await kept(), log.calls]).toEqual([ROW, ['demo', 'other'], []]);
  });

  it('is not removed while others need it, unless they are disabled', async () => {
    const { book, registry, remover } = await removal();
    const needs = { manifest: { dependencies: ['demo@^1.0.0'] } };
    registry.add(fakeModule({ name: 'top', ...needs }));
    await expect(remover.remove('demo', false)).rejects.toThrow(/top cannot do without it/);
    expect(book.get('demo')).toEqual(ROW);
    registry.add(fakeModule({ name: 'top', state: 'disabled', ...needs }));
    expect(await remover.remove('demo', false)).toMatchObject({ state: 'removed' });
  });
});

describe('a trial', () => {
  function trial() {
    const registry = new Registry();
    const told: string[] = [];
    const trials = new Trials({
      registry,
      onFailed: (name, reason) => void told.push(`${name} failed: ${reason}`),
      onPassed: (name) => void told.push(`${name} passed`),
      now: () => 0,
    });
    const module = fakeModule({ version: '2.0.0' });
    registry.add(module);
    return { registry, trials, told, module };
  }

  it('fails by the third crash, or at once when the module is parked', () => {
    const { trials, told, module } = trial();
    trials.begin('demo', '2.0.0', 60_000);
    for (let crash = 0; crash < 4; crash++) trials.crashed(module, ['out of memory']);
    expect(told).toEqual(['demo failed: it crashed 3 times on trial: out of memory']);
    trials.begin('demo', '2.0.0', 60_000);
    module.state = 'parked';
    trials.crashed(module, ['spent']);
    expect(told).toHaveLength(2);
  });

  it('is not failed by what it has replaced, by another version, nor when it is over', () => {
    const { trials, told, module } = trial();
    trials.begin('demo', '2.0.0', 60_000);
    const old = fakeModule({ version: '1.0.0' });
    for (let crash = 0; crash < 4; crash++) trials.crashed(old, ['x']);
    trials.end('demo');
    for (let crash = 0; crash < 4; crash++) trials.crashed(module, ['x']);
    expect(told).toEqual([]);
    trials.close();
  });
});

it('a module that was replaced goes on while it has something to do, and is not waited for when the host ends', async () => {
  const stopped: number[] = [];
  const module = { underWay: 1, lastUsed: Date.now(), stop: async (drainMs: number) => void stopped.push(drainMs) };
  let isHurried = false;
  const retired = retireModule(module, 60_000, () => isHurried);
  await Promise.resolve();
  expect(stopped).toEqual([]);
  isHurried = true;
  await retired;
  expect(stopped).toEqual([60_000]);
});
