/** A connection of the pool of the embedded database, as node-postgres has them. */
import { EventEmitter } from 'node:events';
import type { Notification, QueryResult } from './pglite-session.ts';

export interface ClientPool {
  run(client: number, text: string, params: readonly unknown[]): Promise<QueryResult>;
  release(client: PgliteClient): void;
}

/** Transactions, notifications and a name are its own; the session is everybody's. */
export class PgliteClient extends EventEmitter {
  readonly id: number;
  readonly #pool: ClientPool;
  readonly #channels = new Set<string>();
  #name: string | undefined;
  #lost: Error | undefined;

  constructor(pool: ClientPool, id: number) {
    super();
    this.setMaxListeners(0);
    this.#pool = pool;
    this.id = id;
  }

  get name(): string | undefined {
    return this.#name;
  }

  async query(query: string | { text: string; values?: unknown[] }, params?: readonly unknown[]): Promise<QueryResult> {
    const text = typeof query === 'string' ? query : query.text;
    const values = params ?? (typeof query === 'string' ? [] : (query.values ?? []));
    if (this.#lost) throw this.#lost;
    if (NAMES_ITSELF.test(text)) {
      this.#name = String(values[0]);
      return { rows: [{ set_config: this.#name }], rowCount: 1, command: 'SELECT' };
    }
    const listens = LISTENS.exec(text);
    if (listens?.[2] !== undefined) {
      if (listens[1] !== undefined) return this.#unlisten(listens[2]);
      // First the ear, then the word: nothing may be missed in between.
      this.#channels.add(listens[2]);
    }
    return this.#pool.run(this.id, text, values);
  }

  release(): void {
    this.#channels.clear();
    this.#pool.release(this);
  }

  /** For the pool. */
  deliver(notification: Notification): void {
    if (this.#channels.has(notification.channel)) this.emit('notification', notification);
  }

  /** For the pool: the thread that knew this client is gone. */
  lose(error: Error): void {
    this.#lost = error;
    if (this.listenerCount('error') > 0) this.emit('error', error);
  }

  /** The session goes on listening: other clients may want to hear. */
  #unlisten(channel: string): QueryResult {
    if (channel === '*') this.#channels.clear();
    else this.#channels.delete(channel);
    return { rows: [], rowCount: null, command: 'UNLISTEN' };
  }
}

const NAMES_ITSELF = /set_config\('application_name'/;
const LISTENS = /^\s*(?:--[^\n]*\n\s*)*(UN)?LISTEN\s+"?(\w+|\*)"?\s*;?\s*$/i;
