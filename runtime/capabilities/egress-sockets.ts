/**
 * How many connections to the outside there are, of a module and in all. When one too many is wanted, the one that is
 * idle longest is closed for it; when none is idle, it is waited for.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type buildConnector, Client, type Dispatcher } from 'undici';

type Connector = buildConnector.connector;
type Target = buildConnector.Options;
type Done = buildConnector.Callback;

export interface SocketLimits {
  readonly ofModule: number;
  readonly inAll: number;
  /** A module that has fewer gets one more, however many the others have. */
  readonly ofEveryModule: number;
  /** Of one module, that wait. */
  readonly waiting: number;
}

export const SOCKET_LIMITS: SocketLimits = { ofModule: 64, inAll: 256, ofEveryModule: 8, waiting: 64 };

/** A connection, or one that is being made. */
interface Line {
  readonly module: string;
  readonly client: Client;
  /** Absent until it is made. */
  close?: () => void;
}

interface Waiting {
  readonly module: string;
  readonly start: () => void;
  /** What is being closed for it. */
  awaited?: Line | undefined;
}

export class EgressSockets {
  readonly #maxWaitMs: number;
  readonly #limits: SocketLimits;
  /** Whose last use was longest ago first. */
  readonly #lines = new Set<Line>();
  readonly #waiting = new Set<Waiting>();

  constructor(maxWaitMs: number, limits: SocketLimits | undefined = SOCKET_LIMITS) {
    this.#maxWaitMs = maxWaitMs;
    this.#limits = limits;
  }

  /** What undici's pools make their connections with. */
  factory(module: string, connect: Connector): (origin: URL, options: object) => Client {
    return (origin, options) => {
      const client: Client = new NotedClient(
        origin,
        { ...options, connect: (target: Target, done: Done) => this.#admit(module, client, connect, target, done) },
        () => this.#use(client),
      );
      client.on('drain', () => {
        this.#use(client);
        if (this.#waiting.size > 0) this.#serve();
      });
      return client;
    };
  }

  #admit(module: string, client: Client, connect: Connector, target: Target, done: Done): void {
    const start = (): void => this.#connect({ module, client }, connect, target, done);
    if (this.#hasRoom(module)) {
      start();
      return;
    }
    if (count(this.#waiting, module) >= this.#limits.waiting) {
      done(this.#tooMany(), null);
      return;
    }
    const waiting: Waiting = {
      module,
      start: () => {
        clearTimeout(timer);
        start();
      },
    };
    const timer = setTimeout(() => {
      this.#waiting.delete(waiting);
      done(this.#tooMany(), null);
    }, this.#maxWaitMs).unref();
    this.#waiting.add(waiting);
    this.#serve();
  }

  #connect(line: Line, connect: Connector, target: Target, done: Done): void {
    this.#lines.add(line);
    const leave = (): void => {
      this.#lines.delete(line);
      this.#serve();
    };
    connect(target, (...[error, socket]) => {
      if (error !== null && error !== undefined) {
        leave();
        done(error, null);
        return;
      }
      if (socket === null) return;
      socket.once('close', leave);
      line.close = () => socket.destroy();
      done(null, socket);
    });
  }

  /** At the start, and at the end. */
  #use(client: Client): void {
    for (const line of this.#lines) {
      if (line.client !== client) continue;
      this.#lines.delete(line);
      this.#lines.add(line);
      return;
    }
  }

  #serve(): void {
    for (const waiting of this.#waiting) {
      if (this.#hasRoom(waiting.module)) {
        this.#waiting.delete(waiting);
        waiting.start();
      } else if (waiting.awaited === undefined || !this.#lines.has(waiting.awaited)) {
        waiting.awaited = this.#closeIdle(waiting.module);
      }
    }
  }

  #hasRoom(module: string): boolean {
    const own = count(this.#lines, module);
    if (own >= this.#limits.ofModule) return false;
    return own < this.#limits.ofEveryModule || this.#lines.size < this.#limits.inAll;
  }

  /** Of the module itself when it has all that it may have; else of any. */
  #closeIdle(module: string): Line | undefined {
    const isOwn = count(this.#lines, module) >= this.#limits.ofModule;
    for (const line of this.#lines) {
      if (line.close === undefined || line.client.stats.size > 0 || (isOwn && line.module !== module)) continue;
      line.close();
      // Not twice, for another one.
      delete line.close;
      return line;
    }
    return undefined;
  }

  #tooMany(): PlexiError {
    return new PlexiError(
      'QUOTA_EXCEEDED',
      `None of the connections that a module may have (${this.#limits.ofModule}) came free; read or cancel the bodies of earlier answers.`,
    );
  }
}

/** Says when it is used: undici tells the end alone, and that a little late. */
class NotedClient extends Client {
  readonly #onUse: () => void;

  constructor(origin: URL, options: Client.Options, onUse: () => void) {
    super(origin, options);
    this.#onUse = onUse;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.#onUse();
    return super.dispatch(options, handler);
  }
}

function count(entries: Iterable<{ readonly module: string }>, module: string): number {
  let sum = 0;
  for (const entry of entries) if (entry.module === module) sum += 1;
  return sum;
}
