import { beforeEach, describe, expect, it } from 'vitest';
import { SettingsBook } from '../../runtime/modules/settings-book.ts';
import { type MemoryState, openMemoryState } from '../support/memory-state.ts';

let state: MemoryState;
let now: number;
let book: SettingsBook;

beforeEach(() => {
  state = openMemoryState();
  now = 1_000;
  book = new SettingsBook({ state, now: () => now++ });
});

const settingsOf = async (version: string): Promise<unknown> => (await book.read('weather', version)).settings;

describe('settings by version', () => {
  it('are nothing until an operator sets something', async () => {
    await book.enter('weather', '1.0.0');
    expect(await book.read('weather', '1.0.0')).toEqual({ settings: {}, setAt: null, setBy: null });
  });

  it('say who set them and when, and are there after a restart', async () => {
    await book.enter('weather', '1.0.0');
    await book.write('weather', '1.0.0', { city: 'Bonn' }, 'olga');
    const again = new SettingsBook({ state });
    expect(await again.read('weather', '1.0.0')).toEqual({ settings: { city: 'Bonn' }, setAt: 1001, setBy: 'olga' });
    expect(await again.read('other', '1.0.0')).toMatchObject({ settings: {} });
  });

  it('carry over to the next version, and are found again when the old one comes back', async () => {
    await book.enter('weather', '1.0.0');
    await book.write('weather', '1.0.0', { city: 'Bonn' }, 'olga');
    expect(await settingsOf('1.1.0')).toEqual({ city: 'Bonn' });
    await book.enter('weather', '1.1.0');
    await book.write('weather', '1.1.0', { city: 'Köln', days: 3 }, 'olga');
    expect(await settingsOf('1.0.0')).toEqual({ city: 'Bonn' });
    await book.enter('weather', '1.0.0');
    expect(await settingsOf('1.0.0')).toEqual({ city: 'Bonn' });
    await book.enter('weather', '1.1.0');
    expect(await settingsOf('1.1.0')).toEqual({ city: 'Köln', days: 3 });
  });

  it('of a version that had none are none when it comes back', async () => {
    await book.enter('weather', '1.0.0');
    await book.enter('weather', '2.0.0');
    await book.write('weather', '2.0.0', { city: 'Bonn' }, 'olga');
    await book.enter('weather', '1.0.0');
    expect(await settingsOf('1.0.0')).toEqual({});
  });

  it('of a version that was only tried follow what was set since', async () => {
    await book.enter('weather', '1.0.0');
    await book.write('weather', '1.0.0', { city: 'Bonn' }, 'olga');
    await book.enter('weather', '1.1.0');
    await book.enter('weather', '1.0.0');
    await book.write('weather', '1.0.0', { city: 'Köln' }, 'olga');
    expect(await settingsOf('1.1.0')).toEqual({ city: 'Köln' });
    await book.enter('weather', '1.1.0');
    expect(await settingsOf('1.1.0')).toEqual({ city: 'Köln' });
  });

  it('of a version that runs beside are read without anything being written', async () => {
    await book.enter('weather', '1.0.0');
    await book.write('weather', '1.0.0', { city: 'Bonn' }, 'olga');
    const before = state.dump();
    await settingsOf('9.0.0');
    expect(state.dump()).toBe(before);
  });

  it('are kept of the last 50 versions only', async () => {
    for (let minor = 0; minor < 70; minor++) await book.enter('weather', `1.${minor}.0`);
    expect(state.read('SELECT version FROM module_settings')).toHaveLength(50);
    await book.write('weather', '1.69.0', { city: 'Bonn' }, 'olga');
    expect(await settingsOf('1.69.0')).toEqual({ city: 'Bonn' });
  });

  it('of a module that is removed for good are gone', async () => {
    await book.enter('weather', '1.0.0');
    await book.write('weather', '1.0.0', { city: 'Bonn' }, 'olga');
    await book.write('other', '1.0.0', { city: 'Ulm' }, 'olga');
    await book.forget('weather');
    expect(await settingsOf('1.0.0')).toEqual({});
    expect((await book.read('other', '1.0.0')).settings).toEqual({ city: 'Ulm' });
  });

  it('say so when the state is away, and go on when it is back', async () => {
    state.isAway = true;
    await expect(book.enter('weather', '1.0.0')).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    await expect(book.read('weather', '1.0.0')).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    state.isAway = false;
    await book.enter('weather', '1.0.0');
    expect(await settingsOf('1.0.0')).toEqual({});
  });
});
