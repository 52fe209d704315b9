/**
 * One connection that listens for all consumers of this host. BullMQ would check one out of the pool for each, for
 * ever: fifty modules would be fifty connections of the hundred that a PostgreSQL has.
 */
import { EventEmitter } from 'node:events';
import type { Client } from 'pg';
import { connectionLost, type Reachability } from './reachability.ts';

/** What BullMQ takes for a client of its own; `notification` and `error` come from the shared one. */
export class ListenSession extends EventEmitter {
  readonly #listener: PostgresListener;

  constructor(listener: PostgresListener) {
    super();
    this.#listener = listener;
    this.setMaxListeners(0);
  }

  release(): void {
    this.#listener.forget(this);
  }
}

export interface ListenerSettings {
  readonly connect: () => Client;
  readonly reachability: Reachability;
  /** Told when the connection broke: whether the server is gone is for somebody else to find out. */
  readonly onBroken: (error: Error) => void;
  readonly stop: AbortSignal;
}

export class PostgresListener {
  readonly #settings: ListenerSettings;
  readonly #sessions = new Set<ListenSession>();
  /** The channels that the connection hears by now, by the text that asked for them. */
  readonly #heard = new Map<string, Promise<unknown>>();
  #client: Promise<Client> | undefined;

  constructor(settings: ListenerSettings) {
    this.#settings = settings;
  }

  /** Runs a LISTEN for this session; it hears every channel, BullMQ picks its own. */
  async listen(session: ListenSession, text: string): Promise<void> {
    const client = await this.#connected();
    this.#sessions.add(session);
    const heard = this.#heard.get(text) ?? client.query(text);
    this.#heard.set(text, heard);
    await heard;
  }

  forget(session: ListenSession): void {
    this.#sessions.delete(session);
  }

  async close(): Promise<void> {
    this.#sessions.clear();
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    client?.removeAllListeners('end');
    await client?.end();
  }

  #connected(): Promise<Client> {
    if (this.#client) return this.#client;
    const connecting = this.#connect();
    this.#client = connecting;
    connecting.catch(() => {
      if (this.#client === connecting) this.#client = undefined;
    });
    return connecting;
  }

  async #connect(): Promise<Client> {
    const { reachability, stop, connect } = this.#settings;
    await reachability.whenOnline(stop);
    const client = connect();
    client.on('notification', (message) => {
      for (const session of this.#sessions) session.emit('notification', message);
    });
    client.on('error', (error) => this.#broken(client, error));
    try {
      await client.connect();
    } catch (error) {
      this.#settings.onBroken(asError(error));
      throw connectionLost(error);
    }
    if (stop.aborted) {
      await client.end();
      throw connectionLost(stop.reason);
    }
    client.on('end', () => this.#broken(client, new Error('Connection ended')));
    return client;
  }

  #broken(client: Client, error: Error): void {
    client.removeAllListeners('notification');
    client.end().catch(() => undefined);
    if (this.#client === undefined) return;
    this.#client = undefined;
    this.#heard.clear();
    const sessions = [...this.#sessions];
    this.#sessions.clear();
    // Each consumer then asks for a new session, and looks for jobs that it was not told of.
    for (const session of sessions)
      if (session.listenerCount('error') > 0) session.emit('error', connectionLost(error));
    this.#settings.onBroken(error);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
