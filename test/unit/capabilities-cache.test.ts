import { describe, expect, it } from 'vitest';
import { type CachePort, createCacheCapability } from '../../runtime/capabilities/cache.ts';
import type { CapabilityContext } from '../../runtime/capabilities/capability.ts';
import { createMemoryCache } from '../../runtime/capabilities/memory-cache.ts';

const KB = 1024;

function openMemory(limits: { moduleBytes?: number; totalBytes?: number } = {}) {
  let time = 1_000;
  const port = createMemoryCache({ moduleBytes: 100 * KB, totalBytes: 1_000 * KB, ...limits, now: () => time });
  const count = (module: string, keys: readonly string[]) =>
    keys.filter((key) => port.get(module, key) !== undefined).length;
  const pass = (ms: number): void => {
    time += ms;
  };
  return { port, count, pass };
}

const keysUpTo = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`);

describe('the cache of a module in memory', () => {
  it('is its own, and forgets by its ttl', () => {
    const { port, pass } = openMemory();
    port.set('a', 'k', '1', 1_000);
    port.set('b', 'k', '2', 5_000);
    expect([port.get('a', 'k'), port.get('b', 'k')]).toEqual(['1', '2']);
    pass(1_001);
    expect([port.get('a', 'k'), port.get('b', 'k')]).toEqual([undefined, '2']);
    port.delete('b', 'k');
    expect(port.get('b', 'k')).toBeUndefined();
  });

  it('holds so many bytes, small entries too; what was unused for longest goes first', () => {
    const { port, count } = openMemory();
    for (const key of keysUpTo(1_000)) {
      port.set('a', key, '1', 60_000);
      port.get('a', 'k0');
    }
    expect(count('a', keysUpTo(1_000))).toBeGreaterThan(350);
    expect(count('a', keysUpTo(1_000))).toBeLessThan(400);
    expect([port.get('a', 'k0'), port.get('a', 'k1'), port.get('a', 'k999')]).toEqual(['1', undefined, '1']);
  });

  it('keeps nothing that is too large, nor what was there under its name', () => {
    const { port } = openMemory();
    port.set('a', 'k', '1', 60_000);
    port.set('a', 'k', 'x'.repeat(60 * KB), 60_000);
    expect(port.get('a', 'k')).toBeUndefined();
  });

  it('takes room from whoever holds most when all together hold too much', () => {
    const { port, count } = openMemory({ totalBytes: 150 * KB });
    const value = 'x'.repeat(KB);
    for (const key of keysUpTo(10)) port.set('small', key, value, 60_000);
    for (const key of keysUpTo(60)) port.set('large', key, value, 60_000);
    for (const key of keysUpTo(60)) port.set('other', key, value, 60_000);
    expect(count('small', keysUpTo(10))).toBe(10);
    const [large, other] = [count('large', keysUpTo(60)), count('other', keysUpTo(60))];
    expect(Math.abs(large - other)).toBeLessThanOrEqual(1);
    expect((large + other + 10) * (2 * KB + 260)).toBeLessThan(150 * KB);
  });

  it('is the same for all of a million keys that a module makes up', () => {
    const { port, count } = openMemory({ moduleBytes: 10 * KB });
    for (let index = 0; index < 50_000; index++) port.set('a', `__proto__${index}`, '1', 60_000);
    port.set('a', '__proto__', '2', 60_000);
    expect(port.get('a', '__proto__')).toBe('2');
    expect(port.get('a', 'constructor')).toBeUndefined();
    expect(count('a', keysUpTo(10))).toBe(0);
  });
});

describe('what the host takes for the cache', () => {
  const open = (port: Partial<CachePort> = {}) => {
    const methods = createCacheCapability(
      { ...openMemory().port, ...port },
      (module) => module !== 'unknown',
    )({ module: 'a' } as CapabilityContext);
    return async (method: string, ...args: unknown[]): Promise<unknown> => methods[method]?.(...args);
  };

  it('is keys, JSON texts and times', async () => {
    const call = open();
    await call('set', { key: 'k', value: '[1]', ttlMs: 1_000 });
    expect([await call('get', 'k'), await call('get', 'l')]).toEqual(['[1]', null]);
    await call('delete', 'k');
    expect(await call('get', 'k')).toBeNull();
  });

  it.each([
    ['get', []],
    ['get', [5]],
    ['get', ['']],
    ['get', ['\0']],
    ['get', ['\udfff']],
    ['get', ['x'.repeat(513)]],
    ['delete', [{}]],
    ['set', ['k', '1', 5]],
    ['set', [{ key: 'k', value: '1' }]],
    ['set', [{ key: 'k', value: 1, ttlMs: 1 }]],
    ['set', [{ key: 'k', value: 'x'.repeat(256 * KB + 1), ttlMs: 1 }]],
    ['set', [{ key: 'k', value: '\ud800', ttlMs: 1 }]],
    ['set', [{ key: 'k', value: '1', ttlMs: 0 }]],
    ['set', [{ key: 'k', value: '1', ttlMs: 2_592_000_001 }]],
    ['set', [{ key: 'k', value: '1', ttlMs: 1, module: 'b' }]],
  ] as const)('is not %s(%j)', async (method, args) => {
    await expect(open()(method, ...args)).rejects.toMatchObject({
      code: 'INVALID_CALL',
      message: expect.stringMatching(new RegExp(`^cache\\.${method} takes `)),
    });
  });

  it('is nothing at all from a module that is only asked what it declares', async () => {
    const { port } = openMemory();
    const methods = createCacheCapability(port, () => false)({ module: 'a' } as CapabilityContext);
    await methods.set?.({ key: 'k', value: '1', ttlMs: 1_000 });
    expect([await methods.get?.('k'), port.get('a', 'k')]).toEqual([null, undefined]);
  });
});
