/** The guest's side of `storage`: what a module keeps, whatever happens to it. */
import { describeValue } from '../module/describe-value.ts';
import { toAuthorError } from '../module/errors.ts';
import type { HostBinding } from '../module/host-binding.ts';
import type { StorageKeys, StorageList, StorageSet, StorageSwap } from '../protocol/capabilities/storage.ts';
import { MAX_LISTED_KEYS, MAX_STORED_TTL, MAX_STORED_VALUE } from '../protocol/storage-limits.ts';
import { checkKey, checkOptions, readTtl, writeValue } from './entries.ts';

export interface StorageOptions {
  /** Seconds until the entry is gone, at most ten years. Default: it stays. */
  readonly ttl?: number;
}

export interface StorageListOptions {
  /** Only keys that begin with it. Default: all. */
  readonly prefix?: string;
  /** How many keys at most, 1 to 1,000. Default: 1,000. */
  readonly limit?: number;
  /** What the list before answered, to go on where it ended. */
  readonly cursor?: string | undefined;
}

export interface StorageListing {
  /** In the order of their code points. */
  readonly keys: readonly string[];
  /** For the next call; undefined when there is no more. With one there may be fewer keys than `limit`, even none. */
  readonly cursor: string | undefined;
}

/**
 * A key-value store of this module alone, shared by its instances; it survives restarts and crashes. Keys are texts of
 * 1 to 512 characters, values are JSON. A module has 1 MB, keys included, and more with the permission `storage:large`.
 * Every method throws a TypeError for an argument that is not allowed, and an Error with code STATE_UNAVAILABLE when the
 * host's storage cannot be reached: the call may be tried again.
 */
export interface StorageClient {
  /**
   * The value, or undefined when there is none.
   * @example
   * const settings = (await this.storage.get<{ theme: string }>(`user:${user.id}`)) ?? { theme: 'light' };
   */
  get<Value = unknown>(key: string): Promise<Value | undefined>;
  /**
   * Keeps a value; when it resolves, the value is on the disk.
   * @throws Error with code QUOTA_EXCEEDED when the module's storage is full
   * @example
   * await this.storage.set(`code:${user.id}`, { code }, { ttl: 600 });
   */
  set(key: string, value: unknown, options?: StorageOptions): Promise<void>;
  /** Resolves to whether there was such a key. */
  delete(key: string): Promise<boolean>;
  /**
   * @example
   * const { keys, cursor } = await this.storage.list({ prefix: 'user:', limit: 100 });
   */
  list(options?: StorageListOptions): Promise<StorageListing>;
  /**
   * Sets the value only when the present one is `expected`, as nobody else can come in between; `undefined` means that
   * there must be none. Values are compared as JSON text, so the keys of objects have to be in the same order, as they are
   * in what `get` gave. Resolves to whether it was set.
   * @throws Error with code QUOTA_EXCEEDED when the module's storage is full
   * @example
   * let count: number | undefined;
   * do count = await this.storage.get<number>('visits');
   * while (!(await this.storage.compareAndSet('visits', count, (count ?? 0) + 1)));
   */
  compareAndSet(key: string, expected: unknown, value: unknown, options?: StorageOptions): Promise<boolean>;
}

const { parse } = JSON;

export function createStorageClient(host: HostBinding): StorageClient {
  const call = async (method: string, argument: unknown): Promise<unknown> => {
    try {
      return await host.call('storage', method, [argument]);
    } catch (error) {
      throw toAuthorError(error);
    }
  };
  return Object.freeze({
    async get<Value>(key: string): Promise<Value | undefined> {
      checkKey('storage.get', key);
      const text = (await call('get', key)) as string | null;
      return text === null ? undefined : parse(text);
    },
    async set(key: string, value: unknown, options: StorageOptions = {}): Promise<void> {
      checkKey('storage.set', key);
      const text = writeValue('storage.set', key, value, MAX_STORED_VALUE);
      await call('set', { key, value: text, ...ttlOf('storage.set', options) } satisfies StorageSet);
    },
    async delete(key: string): Promise<boolean> {
      checkKey('storage.delete', key);
      return (await call('delete', key)) as boolean;
    },
    async list(options: StorageListOptions = {}): Promise<StorageListing> {
      const { keys, cursor } = (await call('list', readListOptions(options))) as StorageKeys;
      return { keys, cursor: cursor ?? undefined };
    },
    async compareAndSet(
      key: string,
      expected: unknown,
      value: unknown,
      options: StorageOptions = {},
    ): Promise<boolean> {
      const name = 'storage.compareAndSet';
      checkKey(name, key);
      const text = writeValue(name, key, value, MAX_STORED_VALUE);
      const before = expected === undefined ? null : writeValue(name, key, expected, MAX_STORED_VALUE);
      if (text.length + (before?.length ?? 0) > MAX_STORED_VALUE) {
        throw new TypeError(
          `${name}(${describeValue(key)}): both values together may have ${MAX_STORED_VALUE} characters as JSON.`,
        );
      }
      const swap: StorageSwap = { key, expected: before, value: text, ...ttlOf(name, options) };
      return (await call('compareAndSet', swap)) as boolean;
    },
  });
}

function ttlOf(name: string, options: unknown): { ttlMs?: number } {
  const ttlMs = readTtl(name, options, MAX_STORED_TTL);
  return ttlMs === undefined ? {} : { ttlMs };
}

function readListOptions(options: StorageListOptions): StorageList {
  const name = 'storage.list';
  checkOptions(name, options, ['prefix', 'limit', 'cursor'], "{ prefix: 'user:' }");
  const { prefix = '', limit = MAX_LISTED_KEYS, cursor } = options;
  if (prefix !== '') checkKey(`${name} with a prefix`, prefix);
  if (cursor !== undefined) checkKey(`${name} with a cursor`, cursor);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LISTED_KEYS) {
    throw new TypeError(
      `${name}: limit must be a whole number from 1 to ${MAX_LISTED_KEYS}, found ${describeValue(limit)}.`,
    );
  }
  return { prefix, limit, ...(cursor === undefined ? {} : { cursor }) };
}
