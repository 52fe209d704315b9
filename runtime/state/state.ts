/**
 * What the host itself keeps: one SQLite file in the data folder, written by a thread of its own. A write is on the disk
 * before it is acknowledged; the thread is started again when it dies.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Migration } from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { openReader, type Reader } from './reader.ts';
import { openLink, type StateLink } from './state-link.ts';
import { type Row, type SqlValue, type Statement, type StatementResult, unavailable } from './statement.ts';

export { StateError } from './state-link.ts';
export { StatementError } from './statement.ts';
export type { Row, SqlValue, Statement, StatementResult };

export interface State {
  /**
   * One transaction, in order, all or nothing. Resolves when it is committed.
   * @throws PlexiError STATE_UNAVAILABLE, StatementError
   */
  run(statements: readonly Statement[]): Promise<readonly StatementResult[]>;
  /** One statement of the same sort. */
  query(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
  /**
   * What is committed, read at once and on this thread, which waits meanwhile: for a row by its key, never for a search.
   * @throws PlexiError STATE_UNAVAILABLE
   */
  read(sql: string, params?: readonly SqlValue[]): readonly Row[];
  close(): Promise<void>;
}

export interface StateLog {
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface StateOptions {
  readonly migrations?: readonly Migration[];
  /** Before the thread is started again for the first time; each further time takes three times as long. */
  readonly firstRestartMs?: number;
}

export const STATE_FILE = 'state.db';

/** @throws StateError when the database is damaged, newer than this host, or cannot be used */
export async function openState(folder: string, log: StateLog, options: StateOptions = {}): Promise<HostState> {
  const state = new HostState(join(folder, STATE_FILE), log, options);
  await state.open();
  return state;
}

/** So long a request waits for a thread that is being started again. */
const WAIT_FOR_THREAD_MS = 1_000;
const MAX_WAITING_FOR_THREAD = 1_000;
const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 30_000;
/** A thread that lived this long was well: the next restart is a first one again. */
const STEADY_MS = 60_000;

export class HostState implements State {
  readonly #file: string;
  readonly #log: StateLog;
  readonly #migrations: readonly Migration[];
  readonly #firstRestartMs: number;
  readonly #ending = new AbortController();
  #reader: Reader | undefined;
  #link: StateLink | undefined;
  #back = Promise.withResolvers<void>();
  #waiting = 0;
  #openedAt = 0;
  #restarts = 0;
  #restarting: Promise<void> = Promise.resolve();

  constructor(file: string, log: StateLog, { migrations = MIGRATIONS, firstRestartMs }: StateOptions) {
    this.#file = file;
    this.#log = log;
    this.#migrations = migrations;
    this.#firstRestartMs = firstRestartMs ?? FIRST_RESTART_MS;
  }

  /** Once. @throws StateError */
  async open(): Promise<void> {
    await this.#start();
    try {
      this.#reader = openReader(this.#file);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async run(statements: readonly Statement[]): Promise<readonly StatementResult[]> {
    const link = this.#link ?? (await this.#linkInTime());
    return link.run(statements);
  }

  async query(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    const [result] = await this.run([{ sql, params }]);
    return result?.rows ?? [];
  }

  read(sql: string, params: readonly SqlValue[] = []): readonly Row[] {
    if (this.#reader === undefined) throw unavailable('the host ends');
    return this.#reader.read(sql, params);
  }

  /** For tests and for those who know better: the thread ends here and now, as if it had crashed. */
  terminateThread(reason: string): void {
    this.#link?.terminate(reason);
  }

  /** What was asked before is done first. */
  async close(): Promise<void> {
    this.#ending.abort();
    this.#reader?.close();
    this.#reader = undefined;
    const link = this.#link;
    this.#link = undefined;
    this.#back.resolve();
    await link?.close();
    await this.#restarting;
  }

  async #start(): Promise<void> {
    const link = await openLink({ file: this.#file, migrations: this.#migrations }, (reason) => this.#lost(reason));
    if (this.#ending.signal.aborted) {
      await link.close();
      return;
    }
    this.#openedAt = performance.now();
    this.#link = link;
    this.#back.resolve();
  }

  #lost(reason: string): void {
    this.#link = undefined;
    this.#back = Promise.withResolvers();
    if (performance.now() - this.#openedAt > STEADY_MS) this.#restarts = 0;
    this.#log.error({ reason }, 'the thread of state.db ended; it is started again');
    this.#restarting = this.#restart();
  }

  /** Never gives up, but ever more slowly: a disk that was full or away comes back without a new start of the host. */
  async #restart(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const waitMs = Math.min(LONGEST_RESTART_MS, this.#firstRestartMs * 3 ** Math.min(this.#restarts++, 10));
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#start();
        this.#log.warn({}, 'the thread of state.db works again');
        return;
      } catch (error) {
        this.#log.error({ err: error }, 'state.db cannot be opened; it is tried again');
      }
    }
  }

  async #linkInTime(): Promise<StateLink> {
    if (this.#ending.signal.aborted) throw unavailable('the host ends');
    if (this.#waiting >= MAX_WAITING_FOR_THREAD) throw unavailable('too much waits for its thread');
    const done = new AbortController();
    this.#waiting += 1;
    const late = sleep(WAIT_FOR_THREAD_MS, undefined, { signal: done.signal }).catch(() => undefined);
    await Promise.race([this.#back.promise, late]);
    this.#waiting -= 1;
    done.abort();
    if (this.#link === undefined) throw unavailable('its thread is not running');
    return this.#link;
  }
}
