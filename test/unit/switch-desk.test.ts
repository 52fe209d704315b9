import { expect, it } from 'vitest';
import { openModuleBook } from '../../runtime/modules/module-book.ts';
import { OneAtATime } from '../../runtime/modules/one-at-a-time.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import { SwitchDesk } from '../../runtime/modules/switch-desk.ts';
import { fakeModule } from '../support/fake-modules.ts';
import { openMemoryState } from '../support/memory-state.ts';

async function desk() {
  const state = openMemoryState();
  const registry = new Registry();
  registry.add(fakeModule({ name: 'weather' }));
  const rested: string[] = [];
  const book = await openModuleBook(state);
  const switches = new SwitchDesk({
    registry,
    book,
    turns: new OneAtATime(),
    loading: {
      rest: async (name: string) => void rested.push(name),
      loadAgain: () => Promise.reject(new Error('nothing is to be loaded')),
    } as never,
    drainMs: 1,
    onFailure: () => {},
  });
  return { state, book, rested, switches };
}

it('a disabled module is at rest, and its switch is on the disk', async () => {
  const { switches, rested, book } = await desk();
  await switches.do('weather', 'disable');
  expect([rested, book.isEnabled('weather')]).toEqual([['weather'], false]);
});

it('disabling a module stops it also while nothing can be written, and the operator hears that it was not', async () => {
  const { switches, rested, state } = await desk();
  state.isAway = true;
  await expect(switches.do('weather', 'disable')).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  expect(rested).toEqual(['weather']);
});

it('enabling one is not done while nothing can be written', async () => {
  const { switches, state } = await desk();
  state.isAway = true;
  await expect(switches.do('weather', 'enable')).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
});
