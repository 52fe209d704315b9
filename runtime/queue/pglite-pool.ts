/** The embedded PostgreSQL as BullMQ sees it: a pool of node-postgres. Starts its thread again when it dies. */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeWithin } from './close-within.ts';
import { encodeParameters, explainNul } from './parameter.ts';
import { PgliteClient } from './pglite-client.ts';
import { connectionError, type Link, openLink } from './pglite-link.ts';
import type { Notification, QueryResult } from './pglite-session.ts';
import { NO_CLIENT } from './pglite-thread.ts';

export interface PglitePoolSettings {
  readonly folder: string;
  readonly durability: 'process' | 'power-loss';
  readonly onLost: (reason: string) => void;
  readonly onBack: () => void;
  /** The thread died too often; only a new start of the host brings the queue back. */
  readonly onGivenUp: (error: Error) => void;
  /** Before the thread is started again for the first time; each further time takes three times as long. */
  readonly firstRestartMs?: number;
}

/** What may wait for the thread to come back, and how long; then it is refused, so that nobody spins meanwhile. */
const WAIT_FOR_THREAD_MS = 1000;
const RESTARTS = 6;
const THREAD_END_MS = 10_000;
const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 10_000;
/** Who lived this long has its restarts back. */
const STEADY_MS = 60_000;
const SILENT_MS = 10_000;

/** BullMQ tells its own connections to closed pools by these words. */
const ENDED = 'Cannot use a pool after calling end on the pool';

export class PglitePool extends EventEmitter {
  /** BullMQ asks: connections that may break in silence would have to be polled. */
  readonly options = { keepAlive: true, max: 64 };
  readonly #settings: PglitePoolSettings;
  readonly #clients = new Set<PgliteClient>();
  readonly #ended = new AbortController();
  #link: Link | undefined;
  #back = Promise.withResolvers<void>();
  #openedAt = 0;
  #restarts = 0;
  #lastClient = NO_CLIENT;
  #requests = 0;
  #restarting: Promise<void> | undefined;
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

  /** For clients. */
  async run(client: number, text: string, params: readonly unknown[] = []): Promise<QueryResult> {
    const values = encodeParameters(params);
    const link = this.#link ?? (await this.#linkInTime());
    if (!link) throw connectionError('its thread is not running');
    this.#requests++;
    try {
      return await link.query(client, text, values);
    } catch (error) {
      throw explainNul(error, values);
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
    const { folder, durability } = this.#settings;
    const link = await openLink(
      { folder, durability, silentMs: SILENT_MS },
      {
        onNotification: (notification) => this.#deliver(notification),
        onLost: (reason, gone) => this.#lost(reason, gone),
      },
    );
    if (this.#ending) {
      await link.close();
      return;
    }
    this.#openedAt = Date.now();
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

  #lost(reason: string, gone: Promise<unknown>): void {
    this.#link = undefined;
    this.#back = Promise.withResolvers();
    if (Date.now() - this.#openedAt > STEADY_MS) this.#restarts = 0;
    this.#settings.onLost(reason);
    const error = connectionError(reason);
    for (const client of this.#clients) client.lose(error);
    this.#clients.clear();
    this.#restarting = this.#restart(reason, gone);
  }

  async #restart(reason: string, gone: Promise<unknown>): Promise<void> {
    // Two threads in one folder would ruin it.
    if (!(await closeWithin(gone, THREAD_END_MS))) {
      this.#settings.onGivenUp(
        new Error(
          `The thread of the embedded queue cannot be ended, so it stays down until the host is started again.`,
        ),
      );
      return;
    }
    const { firstRestartMs: first = FIRST_RESTART_MS } = this.#settings;
    let last = reason;
    while (this.#restarts < RESTARTS && !this.#ending) {
      const waitMs = Math.min(LONGEST_RESTART_MS, first * 3 ** this.#restarts++);
      await sleep(waitMs, undefined, { signal: this.#ended.signal }).catch(() => undefined);
      if (this.#ending) return;
      try {
        await this.#start();
        if (this.#link) this.#settings.onBack();
        return;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
    }
    if (this.#ending) return;
    this.#settings.onGivenUp(
      new Error(
        `The embedded queue was started again ${RESTARTS} times and fell over each time, so it stays down until the host is started again. Last: ${last}`,
      ),
    );
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
    await this.#restarting;
  }
}

const ASKS_WHO_IS_CONNECTED = /FROM pg_stat_activity\b/;
