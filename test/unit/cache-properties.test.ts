/** The caches of modules in memory against a plain model of them: whatever is done, in whatever order. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createCacheCapability } from '../../runtime/capabilities/cache.ts';
import type { CapabilityContext } from '../../runtime/capabilities/capability.ts';
import { createMemoryCache } from '../../runtime/capabilities/memory-cache.ts';

const MODULES = ['a', 'b', 'c'] as const;
const KEYS = ['k', 'l', '__proto__', 'constructor', 'a\nk', ''] as const;
/** As the cache counts an entry: what it costs besides its texts, and two bytes a character. */
const sizeOf = (key: string, value: string): number => 256 + 2 * (key.length + value.length);

type Step =
  | { readonly do: 'set'; readonly module: string; readonly key: string; readonly length: number; readonly ttl: number }
  | { readonly do: 'get'; readonly module: string; readonly key: string }
  | { readonly do: 'delete'; readonly module: string; readonly key: string }
  | { readonly do: 'clear'; readonly module: string }
  | { readonly do: 'pass'; readonly ms: number };

const module = fc.constantFrom(...MODULES);
const key = fc.constantFrom(...KEYS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      module,
      key,
      length: fc.nat(900),
      ttl: fc.integer({ min: 1, max: 100 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('get' as const), module, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), module, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), module }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(60) }) },
);
const steps = fc.array(step, { maxLength: 80 });

interface Kept {
  readonly value: string;
  readonly ends: number;
}

function open(moduleBytes: number, totalBytes: number) {
  let now = 1_000;
  let count = 0;
  const cache = createMemoryCache({ moduleBytes, totalBytes, now: () => now });
  const model = new Map<string, Map<string, Kept>>(MODULES.map((name) => [name, new Map()]));
  const of = (name: string) => model.get(name) ?? expect.fail('no such module');
  const take = (one: Step): void => {
    if (one.do === 'pass') now += one.ms;
    else if (one.do === 'get') cache.get(one.module, one.key);
    else if (one.do === 'clear') {
      cache.clear(one.module);
      of(one.module).clear();
    } else if (one.do === 'delete') {
      cache.delete(one.module, one.key);
      of(one.module).delete(one.key);
    } else {
      // No two values are alike: what is found is what was set there, and by whom.
      const value = `${one.module}${count++}`.padEnd(one.length, 'x');
      cache.set(one.module, one.key, value, one.ttl);
      of(one.module).set(one.key, { value, ends: now + one.ttl });
    }
  };
  const look = () =>
    MODULES.flatMap((name) =>
      KEYS.map((text) => {
        const kept = of(name).get(text);
        const isOver = kept === undefined || now > kept.ends;
        return { name, text, found: cache.get(name, text), expected: isOver ? undefined : kept.value };
      }),
    );
  return { take, look };
}

it('what is found is what the module itself set last under that key, while it is not over', () => {
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 300, max: 10_000 }),
      fc.integer({ min: 300, max: 20_000 }),
      (all, own, total) => {
        const { take, look } = open(own, total);
        for (const one of all) {
          take(one);
          for (const { found, expected } of look()) if (found !== undefined) expect(found).toBe(expected);
        }
      },
    ),
  );
});

it('with room for everything nothing is missing', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const { take, look } = open(1_000_000, 10_000_000);
      for (const one of all) take(one);
      for (const { found, expected } of look()) expect(found).toBe(expected);
    }),
  );
});

it('no module has more than its bytes, nor have all together more than theirs', () => {
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 300, max: 5_000 }),
      fc.integer({ min: 300, max: 8_000 }),
      (all, own, total) => {
        const { take, look } = open(own, total);
        for (const one of all) {
          take(one);
          const held = look().flatMap(({ name, text, found }) =>
            found === undefined ? [] : [{ name, bytes: sizeOf(text, found) }],
          );
          const bytesOf = (which: readonly { bytes: number }[]) => which.reduce((sum, { bytes }) => sum + bytes, 0);
          expect(bytesOf(held)).toBeLessThanOrEqual(total);
          for (const name of MODULES) expect(bytesOf(held.filter((one) => one.name === name))).toBeLessThanOrEqual(own);
        }
      },
    ),
  );
});

it('the host takes any words of a module, or refuses them as its fault, and never throws anything else', async () => {
  const cache = createMemoryCache({ moduleBytes: 10_000, totalBytes: 20_000 });
  const methods = createCacheCapability(cache, () => true)({ module: 'a' } as CapabilityContext);
  const words = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('k', '__proto__', '\0', '\ud800'),
    fc.anything(),
  );
  const call = fc.record({ key: words, value: words, ttlMs: fc.oneof(fc.integer(), fc.double(), words) });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('get', 'set', 'delete'),
      fc.array(fc.oneof(words, call), { maxLength: 3 }),
      async (name, args) => {
        const run = async (): Promise<unknown> => methods[name]?.(...args);
        const outcome = await run().then(
          () => 'taken',
          (error: { code?: unknown }) => error.code,
        );
        expect(['taken', 'INVALID_CALL']).toContain(outcome);
        expect(await methods.get?.('never set')).toBeNull();
      },
    ),
    { numRuns: 500 },
  );
  expect({}).not.toHaveProperty('k');
});
