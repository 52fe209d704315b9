/** A module's key-value entries: its own only, bounded in size, kept before they are acknowledged. */

import { STORAGE_METHODS } from '@plexichat/sdk/protocol/capabilities/storage';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { MAX_KEY, MAX_LISTED_KEYS, MAX_STORED_TTL, MAX_STORED_VALUE } from '@plexichat/sdk/protocol/storage-limits';
import { Compile } from 'typebox/compile';
import { InTurnByKey } from '../state/in-turn.ts';
import type { Capability } from './capability.ts';
import type { PermissionGate } from './permission-gate.ts';
import { isStorableText } from './storable-text.ts';

export interface StorageEntry {
  readonly key: string;
  readonly value: string;
  /** Epoch milliseconds; null: it stays. */
  readonly expiresAt: number | null;
}

export interface StorageListed {
  readonly keys: readonly string[];
  /** After which key to go on; undefined: there is nothing more. */
  readonly next: string | undefined;
}

/** Each rejects or throws with STATE_UNAVAILABLE when the entries cannot be reached. */
export interface StoragePort {
  get(module: string, key: string): string | undefined | Promise<string | undefined>;
  /** How many bytes the module uses now; `full`: it does not fit into what it may use. */
  set(module: string, entry: StorageEntry, maxBytes: number): Promise<number | 'full'>;
  delete(module: string, key: string): Promise<boolean>;
  /** In order, those after `after` that begin with the prefix; not always as many as there are. */
  list(module: string, list: { prefix: string; after: string; limit: number }): Promise<StorageListed>;
  swap(
    module: string,
    entry: StorageEntry,
    expected: string | null,
    maxBytes: number,
  ): Promise<number | 'differs' | 'full'>;
  /** Deletes some of what has expired, and says how many. */
  sweep(): Promise<number>;
}

export interface StorageSettings {
  /** Whether the module has been admitted: one that is only asked what it declares keeps nothing. */
  readonly mayKeep: (module: string) => boolean;
  /** What a module may keep with `storage:large`. */
  readonly largeBytes: number;
  readonly onFailure: (error: unknown) => void;
  readonly now?: () => number;
}

export interface Storage {
  readonly capability: Capability;
  close(): Promise<void>;
}

const MB = 1024 * 1024;
const SMALL_BYTES = MB;
/** Characters of one module, on their way to the disk. */
const MAX_WAITING = 8 * MB;
/** Besides keys and values. */
const CALL_COST = 1_024;
const SWEEP_MS = 60_000;
const LARGE = { capability: 'storage' } as const;

const checkGet = Compile(STORAGE_METHODS.get.args);
const checkSet = Compile(STORAGE_METHODS.set.args);
const checkDelete = Compile(STORAGE_METHODS.delete.args);
const checkList = Compile(STORAGE_METHODS.list.args);
const checkSwap = Compile(STORAGE_METHODS.compareAndSet.args);

export function createStorage(port: StoragePort, gate: PermissionGate, settings: StorageSettings): Storage {
  const { mayKeep, largeBytes, onFailure, now = Date.now } = settings;
  const waiting = new Map<string, number>();
  const sweeping = startSweep(port, onFailure);

  /** Boundary: one module's writes never fill the queue that all wait in. */
  const queue = async <Result>(module: string, characters: number, write: () => Promise<Result>): Promise<Result> => {
    const before = waiting.get(module) ?? 0;
    const cost = characters + CALL_COST;
    if (before > 0 && before + cost > MAX_WAITING) {
      throw new PlexiError('QUOTA_EXCEEDED', `storage: more than ${MAX_WAITING / MB} MB wait to be written.`);
    }
    waiting.set(module, before + cost);
    try {
      return await write();
    } finally {
      const left = (waiting.get(module) ?? 0) - cost;
      if (left > 0) waiting.set(module, left);
      else waiting.delete(module);
    }
  };

  /** Boundary: a search costs the writer of all more than a key; of one module's there is one at a time. */
  const searches = new InTurnByKey();

  const capability: Capability = ({ module }) => {
    const limit = (): number => (gate.holds(module, LARGE) ? Math.max(largeBytes, SMALL_BYTES) : SMALL_BYTES);
    /** A grant counts as used once a module needs it. @throws PlexiError QUOTA_EXCEEDED */
    const judge = (used: number | 'full'): void => {
      const isLarge = gate.holds(module, LARGE);
      if (used !== 'full') {
        if (isLarge && used > SMALL_BYTES) gate.require(module, LARGE, 'Keeping more than 1 MB');
        return;
      }
      const more = isLarge ? '' : ' The permission storage:large allows more.';
      throw new PlexiError('QUOTA_EXCEEDED', `storage: this does not fit into the module's ${limit() / MB} MB.${more}`);
    };
    const assertAdmitted = (): void => {
      if (!mayKeep(module)) throw new PlexiError('MODULE_UNAVAILABLE', 'storage: use it in initialize() or later.');
    };
    return {
      get(...args) {
        if (!checkGet.Check(args) || !isStorableText(args[0])) throw invalid(`storage.get takes ${KEY}.`);
        assertAdmitted();
        const found = port.get(module, args[0]);
        return found instanceof Promise ? found.then(orNull) : orNull(found);
      },
      async set(...args) {
        if (!checkSet.Check(args) || !areStorable(args[0])) throw invalid(`storage.set takes ${SET}.`);
        assertAdmitted();
        const entry = readEntry(args[0], now());
        judge(await queue(module, entry.value.length, () => port.set(module, entry, limit())));
      },
      async delete(...args) {
        if (!checkDelete.Check(args) || !isStorableText(args[0])) throw invalid(`storage.delete takes ${KEY}.`);
        assertAdmitted();
        const [key] = args;
        return queue(module, 0, () => port.delete(module, key));
      },
      async list(...args) {
        if (!checkList.Check(args)) throw invalid(LIST_TAKES);
        const [{ prefix, limit: most, cursor = '' }] = args;
        if (!isStorableText(prefix) || !isStorableText(cursor)) throw invalid(LIST_TAKES);
        assertAdmitted();
        const listed = await searches.take(module, () => port.list(module, { prefix, after: cursor, limit: most }));
        return { keys: listed.keys, cursor: listed.next ?? null };
      },
      async compareAndSet(...args) {
        if (!checkSwap.Check(args) || !areStorable(args[0])) throw invalid(SWAP_TAKES);
        assertAdmitted();
        const [{ expected }] = args;
        const entry = readEntry(args[0], now());
        if ((expected?.length ?? 0) + entry.value.length > MAX_STORED_VALUE) throw invalid(SWAP_TAKES);
        const cost = entry.value.length + (expected?.length ?? 0);
        const swapped = await queue(module, cost, () => port.swap(module, entry, expected, limit()));
        if (swapped !== 'differs') judge(swapped);
        return swapped !== 'differs';
      },
    };
  };
  return { capability, close: sweeping.close };
}

const KEY = `a key: a text of 1 to ${MAX_KEY} characters without NUL and halves of characters`;
const TTL = `and perhaps ttlMs, whole milliseconds from 1 to ${MAX_STORED_TTL}`;
const SET = `{ key, value, ttlMs }: ${KEY}, JSON text of at most ${MAX_STORED_VALUE} characters, ${TTL}`;
const LIST_TAKES = `storage.list takes { prefix, limit, cursor }: texts of at most ${MAX_KEY} characters, and a whole number from 1 to ${MAX_LISTED_KEYS}.`;
const SWAP_TAKES = `storage.compareAndSet takes { key, expected, value, ttlMs }: ${KEY}, two JSON texts of at most ${MAX_STORED_VALUE} characters together (or null for none that is expected), ${TTL}.`;

function readEntry({ key, value, ttlMs }: { key: string; value: string; ttlMs?: number }, now: number): StorageEntry {
  return { key, value, expiresAt: ttlMs === undefined ? null : now + ttlMs };
}

function areStorable({ key, value, expected }: { key: string; value: string; expected?: string | null }): boolean {
  return isStorableText(key) && isStorableText(value) && isStorableText(expected ?? '');
}

function orNull(value: string | undefined): string | null {
  return value ?? null;
}

/** One sweep at a time, each until nothing is left. */
function startSweep(port: StoragePort, onFailure: (error: unknown) => void): { close(): Promise<void> } {
  let sweep = Promise.resolve();
  let isSweeping = false;
  let isClosed = false;
  const run = async (): Promise<void> => {
    isSweeping = true;
    try {
      while (!isClosed && (await port.sweep()) > 0);
    } catch (error) {
      onFailure(error);
    } finally {
      isSweeping = false;
    }
  };
  const timer = setInterval(() => {
    if (!isSweeping) sweep = run();
  }, SWEEP_MS);
  timer.unref();
  return {
    close() {
      isClosed = true;
      clearInterval(timer);
      return sweep;
    },
  };
}

function invalid(message: string): PlexiError {
  return new PlexiError('INVALID_CALL', message);
}
