/** A module's cache: its own only, bounded, and gone at any time. One that cannot be reached is an empty one. */
import { CACHE_METHODS } from '@plexichat/sdk/protocol/capabilities/cache';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { MAX_CACHED_TTL, MAX_CACHED_VALUE, MAX_KEY } from '@plexichat/sdk/protocol/storage-limits';
import { Compile } from 'typebox/compile';
import type { Capability } from './capability.ts';
import { isStorableText } from './storable-text.ts';

/** Never throws and never rejects: what cannot be reached has nothing and keeps nothing. */
export interface CachePort {
  get(module: string, key: string): string | undefined | Promise<string | undefined>;
  /** What does not fit pushes out what was there for longest; what never fits is not kept. */
  set(module: string, key: string, value: string, ttlMs: number): void | Promise<void>;
  delete(module: string, key: string): void | Promise<void>;
  /** Everything of the module. */
  clear(module: string): void | Promise<void>;
  close(): Promise<void>;
}

const checkGet = Compile(CACHE_METHODS.get.args);
const checkSet = Compile(CACHE_METHODS.set.args);
const checkDelete = Compile(CACHE_METHODS.delete.args);

/** @param mayKeep whether the module has been admitted: one that is only asked what it declares has no cache */
export function createCacheCapability(port: CachePort, mayKeep: (module: string) => boolean): Capability {
  return ({ module }) => ({
    async get(...args) {
      if (!checkGet.Check(args) || !isStorableText(args[0])) throw invalid(`cache.get takes ${KEY}.`);
      return mayKeep(module) ? ((await port.get(module, args[0])) ?? null) : null;
    },
    async set(...args) {
      if (!checkSet.Check(args)) throw invalid(SET_TAKES);
      const [{ key, value, ttlMs }] = args;
      if (!isStorableText(key) || !isStorableText(value)) throw invalid(SET_TAKES);
      if (mayKeep(module)) await port.set(module, key, value, ttlMs);
    },
    async delete(...args) {
      if (!checkDelete.Check(args) || !isStorableText(args[0])) throw invalid(`cache.delete takes ${KEY}.`);
      if (mayKeep(module)) await port.delete(module, args[0]);
    },
  });
}

const KEY = `a key: a text of 1 to ${MAX_KEY} characters without NUL and halves of characters`;
const SET_TAKES = `cache.set takes { key, value, ttlMs }: ${KEY}, JSON text of at most ${MAX_CACHED_VALUE} characters, whole milliseconds from 1 to ${MAX_CACHED_TTL}.`;

function invalid(message: string): PlexiError {
  return new PlexiError('INVALID_CALL', message);
}
