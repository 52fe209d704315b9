/** @cacheResult: a method that remembers its answers. */

export interface CacheResultOptions {
  /** Seconds that an answer is kept. */
  readonly ttl: number;
  /** Answers kept per instance and method; the one unused for longest goes first. Default: 500. */
  readonly max?: number;
}

type AnyMethod<This, Args extends readonly unknown[], Result> = (this: This, ...args: Args) => Result;

interface Entry {
  readonly value: unknown;
  readonly until: number;
}

/**
 * Remembers what a method answered, per instance and arguments (compared as JSON). Callers at the same time share one
 * run; a failure is not kept. For answers that several instances should share, use `this.cache`.
 * @throws RangeError when ttl is not above 0
 * @throws TypeError at a call whose arguments are not JSON
 * @example
 * class Weather extends BaseModule {
 *   @cacheResult({ ttl: 3600 })
 *   async forecast(city: string) {
 *     return (await this.http.fetch(`https://api.example.com/${city}`)).json();
 *   }
 * }
 */
export function cacheResult({ ttl, max = 500 }: CacheResultOptions) {
  if (!(ttl > 0)) throw new RangeError(`@cacheResult: ttl must be above 0 seconds, found ${String(ttl)}.`);
  return <This extends object, Args extends readonly unknown[], Result>(
    method: AnyMethod<This, Args, Result>,
    context: ClassMethodDecoratorContext,
  ): AnyMethod<This, Args, Result> => {
    const caches = new WeakMap<This, Map<string, Entry>>();
    return function cached(this: This, ...args: Args): Result {
      const cache = caches.get(this) ?? new Map<string, Entry>();
      caches.set(this, cache);
      const key = keyOf(args, String(context.name));
      const known = cache.get(key);
      // Taken out and put back: a Map keeps the order of insertion, so the first key is the one unused for longest.
      cache.delete(key);
      if (known !== undefined && known.until > Date.now()) {
        cache.set(key, known);
        return known.value as Result;
      }
      const value = Reflect.apply(method, this, args);
      const entry: Entry = { value, until: Date.now() + ttl * 1000 };
      cache.set(key, entry);
      if (cache.size > max) cache.delete(cache.keys().next().value ?? key);
      if (value instanceof Promise) {
        value.catch(() => {
          if (cache.get(key) === entry) cache.delete(key);
        });
      }
      return value;
    };
  };
}

function keyOf(args: readonly unknown[], name: string): string {
  if (args.every(isPlain)) return JSON.stringify(args);
  throw new TypeError(
    `@cacheResult on ${name}: the arguments must be JSON values, to tell one call from another. For an endpoint use its cacheTtl.`,
  );
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') return false;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || 'toJSON' in value) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
