/** The embedded PostgreSQL as BullMQ sees it: a pool of node-postgres. Starts its thread again when it dies. */
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeWithin } from './close-within.ts';
import { encodeParameters } from './parameter.ts';
import { PgliteClient } from './pglite-client.ts';
import { connectionError, type Link, openLink } from './pglite-link.ts';
import type { Notification, QueryResult } from './pglite-session.ts';
import { NO_CLIENT } from './pglite-thread.ts';
import { reasonOf } from './reachability.ts';
import { createRepeatFilter, withoutNumbers } from './repeats.ts';
import { explainUnstorable } from './storable.ts';

export interface PglitePoolSettings {
  readonly folder: string;
  readonly durability: 'process' | 'power-loss';
  readonly onLost: (reason: string) => void;
  readonly onBack: () => void;
  /** It stays down, or falls over again and again: what an operator has to know. */
  readonly onTrouble: (error: Error) => void;
  /** Hears of each thread, and when it has ended: until then nobody else may be in the folder. */
  readonly onThread?: (gone: Promise<void>) => void;
  /** Before the thread is started again for the first time; each further time takes three times as long. */
  readonly firstRestartMs?: number;
  readonly longestRestartMs?: number;
}

/** What may wait for the thread to come back, and how long; then it is refused, so that nobody spins meanwhile. */
const WAIT_FOR_THREAD_MS = 1000;
/** Producers give up after some seconds: what has not begun by then is not done behind their backs. */
const PRODUCERS_BEGIN_MS = 4000;
const THREAD_END_MS = 10_000;
const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 30_000;
/** So many short lives in a row are no accident. */
const TOLERATED_RESTARTS = 3;
const STEADY_MS = 60_000;
const TELL_AGAIN_MS = 600_000;
const SILENT_MS = 10_000;
/** A database that is just recovering had better be done with it. */
const FINISH_BOOT_MS = 5000;

/** BullMQ tells its own connections to closed pools by these words. */
const ENDED = 'Cannot use a pool after calling end on the pool';

export class PglitePool extends EventEmitter {
  /** BullMQ asks: connections that may break in silence would have to be polled. */
  readonly options = { keepAlive: true, max: 64 };
  readonly #settings: PglitePoolSettings;
  readonly #clients = new Set<PgliteClient>();
  readonly #ended = new AbortController();
  readonly #stopBoot = new AbortController();
  readonly #isNews = createRepeatFilter(TELL_AGAIN_MS);
  #gone: Promise<void> = Promise.resolve();
  #link: Link | undefined;
  #back = Promise.withResolvers<void>();
  #openedAt = 0;
  #restarts = 0;
  #lastClient = NO_CLIENT;
  #requests = 0;
  #restarting: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;

  /** @throws Error that says why the database does not open */
  static async open(settings: PglitePoolSettings): Promise<PglitePool> {
    const pool = new PglitePool(settings);
    await pool.#start();
    return pool;
  }

  private constructor(settings: PglitePoolSettings) {
    super();
    this.setMaxListeners(0);
    this.#settings = settings;
  }

  get online(): boolean {
    return this.#link !== undefined;
  }

  /** Requests so far. */
  get requests(): number {
    return this.#requests;
  }

  get flushes(): number {
    return this.#link?.flushes ?? 0;
  }

  async query(query: string | { text: string; values?: unknown[] }, params?: readonly unknown[]): Promise<QueryResult> {
    const text = typeof query === 'string' ? query : query.text;
    // There is one session, so the server's own list of connections knows none of the clients.
    if (ASKS_WHO_IS_CONNECTED.test(text)) return this.#listNames();
    return this.run(NO_CLIENT, text, params ?? (typeof query === 'string' ? [] : query.values));
  }

  async connect(): Promise<PgliteClient> {
    if (!(await this.#linkInTime())) throw connectionError('its thread is not running');
    const client = new PgliteClient(this, ++this.#lastClient);
    this.#clients.add(client);
    return client;
  }

  end(): Promise<void> {
    this.#ending ??= this.#close();
    return this.#ending;
  }

  /** The same pool for those who wait for an answer, and not for long. */
  forProducers() {
    const facade = {
      options: this.options,
      query: (text: string, params?: readonly unknown[]) => this.run(NO_CLIENT, text, params, PRODUCERS_BEGIN_MS),
      connect: () => this.connect(),
      end: async () => undefined,
      on: () => facade,
      removeAllListeners: () => facade,
    };
    return facade;
  }

  /** For clients. */
  async run(client: number, text: string, params: readonly unknown[] = [], beginMs?: number): Promise<QueryResult> {
    const values = encodeParameters(params);
    const link = this.#link ?? (await this.#linkInTime());
    if (!link) throw connectionError('its thread is not running');
    this.#requests++;
    try {
      return await link.query({ client, text, values, ...(beginMs === undefined ? {} : { beginMs }) });
    } catch (error) {
      throw explainUnstorable(error, values);
    }
  }

  /** For clients. */
  release(client: PgliteClient): void {
    if (this.#clients.delete(client)) this.#link?.release(client.id);
  }

  /** For tests and for those who know better: the thread ends here and now, as if it had crashed. */
  terminateThread(reason: string): void {
    this.#link?.terminate(reason);
  }

  async #start(): Promise<void> {
    const { folder, durability, onThread } = this.#settings;
    const link = await openLink(
      { folder, durability, silentMs: SILENT_MS },
      {
        onThread: (gone) => {
          this.#gone = gone;
          onThread?.(gone);
        },
        onNotification: (notification) => this.#deliver(notification),
        onLost: (reason) => this.#lost(reason),
      },
      this.#stopBoot.signal,
    );
    if (this.#ending) {
      await link.close();
      return;
    }
    this.#openedAt = performance.now();
    this.#link = link;
    this.#back.resolve();
  }

  /**
   * Not in the same turn: BullMQ starts to listen some microtasks after it has read that there is nothing, and what
   * arrives in between would be lost.
   */
  #deliver(notification: Notification): void {
    setImmediate(() => {
      for (const client of this.#clients) client.deliver(notification);
    });
  }

  #lost(reason: string): void {
    this.#link = undefined;
    this.#back = Promise.withResolvers();
    if (performance.now() - this.#openedAt > STEADY_MS) this.#restarts = 0;
    this.#settings.onLost(reason);
    const error = connectionError(reason);
    for (const client of this.#clients) client.lose(error);
    this.#clients.clear();
    this.#restarting = this.#restart(reason);
  }

  /** Never gives up: a disk that is full, or a volume that is away, comes back without a new start of the host. */
  async #restart(reason: string): Promise<void> {
    const { folder, firstRestartMs = FIRST_RESTART_MS, longestRestartMs = LONGEST_RESTART_MS } = this.#settings;
    if (this.#restarts >= TOLERATED_RESTARTS) this.#tell(reason);
    while (!this.#ending) {
      await this.#threadGone();
      await this.#pause(Math.min(longestRestartMs, firstRestartMs * 3 ** this.#restarts++));
      if (this.#ending) return;
      try {
        // PostgreSQL would make a new, empty one: the volume may just be away.
        if (!existsSync(join(folder, 'PG_VERSION'))) throw new Error('its files are not there');
        await this.#start();
        if (this.#link) this.#settings.onBack();
        return;
      } catch (error) {
        if (!this.#ending) this.#tell(reasonOf(error));
      }
    }
  }

  /** Two threads in one folder would ruin it. */
  async #threadGone(): Promise<void> {
    if (await closeWithin(this.#gone, THREAD_END_MS)) return;
    if (this.#ending) return;
    this.#tell('its thread cannot be ended, as when a disk does not answer');
    await Promise.race([this.#gone, new Promise((resolve) => this.#ended.signal.addEventListener('abort', resolve))]);
  }

  #tell(reason: string): void {
    if (!this.#isNews(withoutNumbers(reason))) return;
    const { folder } = this.#settings;
    this.#settings.onTrouble(
      new Error(
        `The embedded queue in ${folder} does not come up: ${reason.replace(/\.$/, '')}. It is tried again, at least every ${LONGEST_RESTART_MS / 1000} s. ` +
          'Free space on its disk, and see that this user may write there; it then comes back by itself. If it is damaged, stop the host, and restore the folder from a backup or move it aside: the runs in it are lost then.',
      ),
    );
  }

  #pause(waitMs: number): Promise<void> {
    return sleep(waitMs, undefined, { signal: this.#ended.signal }).catch(() => undefined);
  }

  async #linkInTime(): Promise<Link | undefined> {
    if (this.#ending) throw new Error(ENDED);
    if (!this.#link) {
      const done = new AbortController();
      const late = sleep(WAIT_FOR_THREAD_MS, undefined, { signal: done.signal }).catch(() => undefined);
      await Promise.race([this.#back.promise, late]);
      done.abort();
    }
    return this.#link;
  }

  #listNames(): QueryResult {
    const rows = [...this.#clients].flatMap(({ name }) => (name === undefined ? [] : [{ application_name: name }]));
    return { rows, rowCount: rows.length, command: 'SELECT' };
  }

  async #close(): Promise<void> {
    this.#ended.abort();
    const link = this.#link;
    this.#link = undefined;
    this.#back.resolve();
    this.#clients.clear();
    await link?.close();
    if (!(await closeWithin(this.#restarting, FINISH_BOOT_MS))) this.#stopBoot.abort();
    await closeWithin(this.#gone, THREAD_END_MS);
  }
}

const ASKS_WHO_IS_CONNECTED = /FROM pg_stat_activity\b/;
