import { CACHE_METHODS } from '@plexichat/sdk/protocol/capabilities/cache';
import { Value } from 'typebox/value';
import { describe, expect, it, vi } from 'vitest';
import { createCacheClient } from '../../sdk/capabilities/cache.ts';
import { createFakeHost } from '../../sdk/testing/fake-host.ts';

function open() {
  const calls: [method: string, argument: unknown][] = [];
  const { binding } = createFakeHost({});
  const cache = createCacheClient({
    ...binding,
    call: (capability, method, args) => {
      expect(Value.Check(CACHE_METHODS[method as keyof typeof CACHE_METHODS].args, args)).toBe(true);
      calls.push([method, args[0]]);
      return binding.call(capability, method, args);
    },
  });
  return { calls, cache };
}

describe('this.cache', () => {
  it('keeps JSON values for five minutes, or as long as it is told', async () => {
    const { cache, calls } = open();
    await cache.set('k', [1]);
    await cache.set('l', null, { ttl: 60 });
    expect([await cache.get('k'), await cache.get('l'), await cache.get('m')]).toEqual([[1], null, undefined]);
    expect(calls.slice(0, 2)).toEqual([
      ['set', { key: 'k', value: '[1]', ttlMs: 300_000 }],
      ['set', { key: 'l', value: 'null', ttlMs: 60_000 }],
    ]);
    await cache.delete('k');
    expect(await cache.get('k')).toBeUndefined();
  });

  it('makes a value once for all who ask at the same time, and keeps it', async () => {
    const { cache } = open();
    const make = vi.fn(async () => ({ made: true }));
    const asked = Array.from({ length: 5 }, () => cache.getOrSet('k', make));
    expect(await Promise.all(asked)).toEqual(Array(5).fill({ made: true }));
    expect(await cache.getOrSet('k', make)).toEqual({ made: true });
    expect(make).toHaveBeenCalledTimes(1);
  });

  it('throws what making a value threw to all of them, and tries again', async () => {
    const { cache } = open();
    const make = vi.fn().mockRejectedValueOnce(new Error('no')).mockResolvedValue(1);
    const outcomes = await Promise.allSettled([cache.getOrSet('k', make), cache.getOrSet('k', make)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await cache.getOrSet('k', make)).toBe(1);
  });

  it('keeps no undefined, but null', async () => {
    const { cache } = open();
    const make = vi.fn().mockReturnValueOnce(undefined).mockReturnValue(null);
    expect([await cache.getOrSet('k', make), await cache.getOrSet('k', make)]).toEqual([undefined, null]);
    expect(await cache.getOrSet('k', make)).toBeNull();
    expect(make).toHaveBeenCalledTimes(2);
  });

  it('refuses what is not allowed in words that help', async () => {
    const { cache } = open();
    await expect(cache.get('')).rejects.toThrow(new TypeError('cache.get: the key is empty.'));
    await expect(cache.set('k', 'x'.repeat(256 * 1024))).rejects.toThrow(
      'cache.set("k"): the value has 262146 characters as JSON, at most 262144 are allowed. Split it up.',
    );
    await expect(cache.set('k', 1, { ttl: 2_592_001 })).rejects.toThrow(
      'cache.set: ttl must be a number of seconds above 0 and at most 2592000 (30 days), found 2592001.',
    );
    await expect(cache.getOrSet('k', 5 as never)).rejects.toThrow('what makes the value must be a function');
    await expect(cache.getOrSet('k', () => 1n as never)).rejects.toThrow(
      'cache.getOrSet("k"): the value is not JSON: a BigInt',
    );
  });
});
