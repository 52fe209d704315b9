import { describe, expect, test, vi } from 'vitest';
import type { RecordStore } from '../../runtime/queue/backend.ts';
import { type Claim, Claims } from '../../runtime/tasks/claims.ts';

function recordsOf(initial: Readonly<Record<string, string>> = {}): RecordStore {
  const records = new Map(Object.entries(initial));
  return {
    read: async (key) => records.get(key),
    list: async (start) => new Map([...records].filter(([key]) => key.startsWith(start))),
    write: async (key, text) => void records.set(key, text),
    delete: async (key) => void records.delete(key),
    increment: async () => 1,
  };
}

const claim: Claim = { at: 1, servedAt: 1, version: '1.0.0', queues: { demo: 1 } };

describe('the claim of a module that no host knows', () => {
  test('lapses when it has stood unchanged for five minutes of this host’s own clock', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const claims = new Claims(recordsOf());
    await claims.write('demo', claim);
    const lapsed = async () => [...(await claims.lapsed(new Set(), false)).keys()];
    expect(await lapsed()).toEqual([]);
    clock.mockReturnValue(4 * 60_000);
    expect(await lapsed()).toEqual([]);
    // Another host that knows it says so, by a clock that is years behind.
    await claims.write('demo', { ...claim, at: -1e12 });
    clock.mockReturnValue(8 * 60_000);
    expect(await lapsed()).toEqual([]);
    clock.mockReturnValue(14 * 60_000);
    expect(await lapsed()).toEqual(['demo']);
    clock.mockRestore();
  });

  test('gets the full time again after the queue was away', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const claims = new Claims(recordsOf());
    await claims.write('demo', claim);
    await claims.lapsed(new Set(), false);
    clock.mockReturnValue(60 * 60_000);
    claims.forget();
    expect((await claims.lapsed(new Set(), false)).size).toBe(0);
    clock.mockRestore();
  });

  test('lapses at once where there can be no other host', async () => {
    const claims = new Claims(recordsOf());
    await claims.write('demo', claim);
    expect((await claims.lapsed(new Set(), true)).size).toBe(1);
    expect((await claims.lapsed(new Set(['demo']), true)).size).toBe(0);
  });
});

test('a record that was edited names no queue of another module, and harms nobody when it is no record at all', async () => {
  const forged = JSON.stringify({ ...claim, queues: { demo: 1, 'demo.work': 1, other: 1, 'demo.a.b': 1 } });
  const claims = new Claims(recordsOf({ 'served/demo': forged, 'served/odd': '{', 'served/list': '[]' }));
  expect(Object.keys((await claims.read('demo'))?.queues ?? {})).toEqual(['demo', 'demo.work']);
  expect(await claims.read('odd')).toMatchObject({ queues: {} });
  expect(await claims.read('list')).toMatchObject({ queues: {} });
});
