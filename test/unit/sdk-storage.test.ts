import { STORAGE_METHODS } from '@plexichat/sdk/protocol/capabilities/storage';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, it, vi } from 'vitest';
import { createStorageClient, type StorageClient } from '../../sdk/capabilities/storage.ts';
import { FakeEntries } from '../../sdk/testing/fake-entries.ts';
import { createFakeHost } from '../../sdk/testing/fake-host.ts';

type Loose = { readonly [Method in keyof StorageClient]: (...args: unknown[]) => Promise<unknown> };

function open(answer?: () => Promise<unknown>) {
  const calls: [method: string, argument: unknown][] = [];
  const { binding } = createFakeHost({});
  const storage = createStorageClient({
    ...binding,
    call: (capability, method, args) => {
      expect(capability).toBe('storage');
      expect(Value.Check(STORAGE_METHODS[method as keyof typeof STORAGE_METHODS].args, args)).toBe(true);
      calls.push([method, args[0]]);
      return answer === undefined ? binding.call(capability, method, args) : answer();
    },
  });
  return { calls, storage, loose: storage as unknown as Loose };
}

describe('this.storage', () => {
  it('keeps JSON values and gives them back', async () => {
    const { storage, calls } = open();
    await storage.set('k', { when: new Date(0), gone: undefined, list: [null] }, { ttl: 1.5 });
    expect(calls).toEqual([
      ['set', { key: 'k', value: '{"when":"1970-01-01T00:00:00.000Z","list":[null]}', ttlMs: 1_500 }],
    ]);
    expect(await storage.get('k')).toEqual({ when: '1970-01-01T00:00:00.000Z', list: [null] });
    await storage.set('null', null);
    expect([await storage.get('null'), await storage.get('nothing')]).toEqual([null, undefined]);
    expect([await storage.delete('k'), await storage.delete('k')]).toEqual([true, false]);
  });

  it('lists keys, page by page', async () => {
    const { storage } = open();
    for (const key of ['user:2', 'user:1', 'other']) await storage.set(key, 1);
    expect(await storage.list()).toEqual({ keys: ['other', 'user:1', 'user:2'], cursor: undefined });
    const first = await storage.list({ prefix: 'user:', limit: 1 });
    expect(first).toEqual({ keys: ['user:1'], cursor: 'user:1' });
    const second = await storage.list({ prefix: 'user:', limit: 2, cursor: first.cursor });
    expect(second).toEqual({ keys: ['user:2'], cursor: undefined });
  });

  it('compares before it sets: with what get gave, or with nothing', async () => {
    const { storage } = open();
    expect(await storage.compareAndSet('k', undefined, { b: 1, a: 2 })).toBe(true);
    expect(await storage.compareAndSet('k', undefined, 1)).toBe(false);
    expect(await storage.compareAndSet('k', null, 1)).toBe(false);
    expect(await storage.compareAndSet('k', await storage.get('k'), null, { ttl: 9 })).toBe(true);
    expect(await storage.compareAndSet('k', null, 3)).toBe(true);
    expect(await storage.get('k')).toBe(3);
  });

  it('gives any JSON value back as it was, and compares it as the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const { storage } = open();
        await storage.set('k', value);
        const kept = await storage.get('k');
        expect(kept).toEqual(JSON.parse(JSON.stringify(value)));
        expect(await storage.compareAndSet('k', kept, 1)).toBe(true);
      }),
    );
  });

  it.each([
    [undefined, 'the key must be a text, found undefined.'],
    [5, 'the key must be a text, found 5.'],
    [['a'], 'the key must be a text, found a list.'],
    ['', 'the key is empty.'],
    ['x'.repeat(513), 'the key has 513 characters, at most 512 are allowed.'],
    ['a\0', 'the key has the character NUL in it, which is not allowed.'],
    ['a\ud800', 'the key has half of a character (a lone surrogate) in it, which is not allowed.'],
  ])('refuses the key %j before it asks the host', async (key, message) => {
    const { loose, calls } = open();
    for (const method of ['get', 'set', 'delete', 'compareAndSet'] as const) {
      await expect(loose[method](key, 1, 1)).rejects.toThrow(new TypeError(`storage.${method}: ${message}`));
    }
    expect(calls).toEqual([]);
  });

  const circle: unknown[] = [];
  circle.push(circle);
  let deep: unknown = 1;
  for (let level = 0; level < 101; level++) deep = [deep];
  it.each([
    ['undefined', undefined, 'is undefined: use delete, or null for "nothing".'],
    ['a function', () => {}, 'is not JSON: a function.'],
    ['a BigInt', { n: 1n }, 'is not JSON: a BigInt at n, which JSON does not know: use a number or a string.'],
    ['a circle', circle, 'is not JSON: a value that contains itself at [0].'],
    ['a Map', { m: new Map() }, 'is not JSON: a Map at m.'],
    ['NaN', Number.NaN, 'is not JSON: NaN.'],
    ['bytes', [new Uint8Array(1)], 'is not JSON: a Uint8Array at [0].'],
    ['what nests too deep', deep, 'nests deeper than 100 levels.'],
    [
      'what is too long',
      'x'.repeat(1024 * 1024),
      'has 1048578 characters as JSON, at most 1048576 are allowed. Split it up.',
    ],
  ])('refuses %s for a value', async (_name, value, message) => {
    const { storage, calls } = open();
    await expect(storage.set('k', value)).rejects.toThrow(new TypeError(`storage.set("k"): the value ${message}`));
    expect(calls).toEqual([]);
  });

  it.each([
    [null, 'the options must be an object such as { ttl: 60 }, found null.'],
    [60, 'the options must be an object such as { ttl: 60 }, found 60.'],
    [{ TTL: 1 }, 'the option "TTL" does not exist; allowed is ttl.'],
    [{ ttl: 0 }, 'ttl must be a number of seconds above 0 and at most 315360000 (3650 days), found 0.'],
    [{ ttl: '60' }, 'ttl must be a number of seconds above 0 and at most 315360000 (3650 days), found "60".'],
    [
      { ttl: Number.POSITIVE_INFINITY },
      'ttl must be a number of seconds above 0 and at most 315360000 (3650 days), found Infinity.',
    ],
  ])('refuses the options %j', async (options, message) => {
    const { loose } = open();
    await expect(loose.set('k', 1, options)).rejects.toThrow(new TypeError(`storage.set: ${message}`));
  });

  it.each([
    [{ limit: 0 }, 'storage.list: limit must be a whole number from 1 to 1000, found 0.'],
    [{ limit: 1.5 }, 'storage.list: limit must be a whole number from 1 to 1000, found 1.5.'],
    [{ prefix: 5 }, 'storage.list with a prefix: the key must be a text, found 5.'],
    [{ cursor: '' }, 'storage.list with a cursor: the key is empty.'],
    [{ start: 'a' }, 'storage.list: the option "start" does not exist; allowed is prefix, limit, cursor.'],
  ])('refuses to list %j', async (options, message) => {
    await expect(open().loose.list(options)).rejects.toThrow(new TypeError(message));
  });

  it('refuses to compare what is too long together', async () => {
    const half = 'x'.repeat(600_000);
    await expect(open().storage.compareAndSet('k', half, half)).rejects.toThrow(
      'storage.compareAndSet("k"): both values together may have 1048576 characters as JSON.',
    );
  });

  it('lets the code of a refusal through', async () => {
    const { storage } = open(async () => {
      throw new PlexiError('QUOTA_EXCEEDED', 'full');
    });
    await expect(storage.set('k', 1)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', message: 'full' });
  });
});

describe('the storage of a test harness', () => {
  it('forgets by the clock, and shows what is there', () => {
    vi.useFakeTimers();
    try {
      const entries = new FakeEntries({ given: [1] });
      entries.set({ key: 'short', value: '2', ttlMs: 1_000 });
      expect(entries.values).toEqual({ given: [1], short: 2 });
      vi.advanceTimersByTime(1_000);
      expect(entries.values).toEqual({ given: [1] });
      expect([entries.get('short'), entries.delete('short')]).toEqual([null, false]);
    } finally {
      vi.useRealTimers();
    }
  });
});
