/** What one connection and one address may have at once, and which answer is the last of a connection. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addressKey } from '../policy/address-key.ts';

export interface ConnectionLimits {
  readonly perAddress: number;
  /** Requests of one connection that may wait for their answers. */
  readonly waiting: number;
  /** Over the whole life of one connection. */
  readonly requests: number;
  /** An ended connection may go on sending what nobody reads: while it does so without such a pause, */
  readonly lingerPauseMs: number;
  /** and for so long in all. */
  readonly lingerMs: number;
}

/** `ignore`: the connection has had its last answer, or will; whatever comes after it is not for us to run. */
export type Turn = 'serve' | 'refuse' | 'ignore';

interface Connection {
  requests: number;
  readonly waiting: Set<ServerResponse>;
  /** Made once, not for every request. */
  readonly onAnswered: (this: ServerResponse) => void;
  isLast: boolean;
  isEnding: boolean;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #known = new Map<Socket, Connection>();
  readonly #addresses = new Map<string, number>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get sockets(): Iterable<Socket> {
    return this.#known.keys();
  }

  /** False when its address has as many as it may; the socket is destroyed then. */
  accept(socket: Socket): boolean {
    const address = addressKey(socket.remoteAddress ?? '');
    const count = this.#addresses.get(address) ?? 0;
    if (count >= this.#limits.perAddress) {
      socket.destroy();
      return false;
    }
    this.#addresses.set(address, count + 1);
    this.#known.set(socket, newConnection());
    socket.once('close', () => {
      this.#known.delete(socket);
      const left = (this.#addresses.get(address) ?? 1) - 1;
      if (left === 0) this.#addresses.delete(address);
      else this.#addresses.set(address, left);
    });
    return true;
  }

  begin({ socket }: IncomingMessage, outgoing: ServerResponse): Turn {
    const connection = this.#known.get(socket);
    if (connection === undefined || connection.isLast) return 'ignore';
    const { waiting } = connection;
    waiting.add(outgoing);
    outgoing.on('close', connection.onAnswered);
    connection.requests += 1;
    if (waiting.size > this.#limits.waiting) {
      socket.pause();
      return 'refuse';
    }
    if (connection.requests >= this.#limits.requests) this.endWith(outgoing);
    return 'serve';
  }

  /** Makes this the last answer of its connection; its headers must not have been sent. */
  endWith(outgoing: ServerResponse): void {
    const { socket } = outgoing.req;
    outgoing.shouldKeepAlive = false;
    const connection = this.#known.get(socket);
    if (connection !== undefined) connection.isLast = true;
    // Node calls this after the last answer. A socket that is closed with bytes unread is reset, and the reset may
    // overtake the answer on its way to a client that still sends.
    socket.destroySoon = () => this.close(socket);
  }

  /** Closes when this answer, which may be under way, is out. */
  endAfter(outgoing: ServerResponse): void {
    if (!outgoing.headersSent) {
      this.endWith(outgoing);
      return;
    }
    const { socket } = outgoing.req;
    const connection = this.#known.get(socket);
    if (connection === undefined || connection.isLast) return;
    connection.isLast = true;
    outgoing.once('close', () => this.close(socket));
  }

  /** Sends what is still to be sent, throws away what still comes, so that a client gets to read, and closes. */
  close(socket: Socket): void {
    const connection = this.#known.get(socket);
    if (connection === undefined || connection.isEnding) return;
    connection.isLast = true;
    connection.isEnding = true;
    const until = performance.now() + this.#limits.lingerMs;
    let seen = socket.bytesRead;
    const cut = setInterval(() => {
      if (socket.bytesRead === seen || performance.now() > until) socket.destroy();
      seen = socket.bytesRead;
    }, this.#limits.lingerPauseMs);
    socket.once('close', () => clearInterval(cut));
    socket.end();
    socket.resume();
  }

  isEnding(socket: Socket): boolean {
    return this.#known.get(socket)?.isEnding ?? true;
  }

  /** Answers that are still owed, the oldest first. */
  waiting(socket: Socket): readonly ServerResponse[] {
    return [...(this.#known.get(socket)?.waiting ?? [])];
  }
}

function newConnection(): Connection {
  const waiting = new Set<ServerResponse>();
  const onAnswered = function (this: ServerResponse) {
    waiting.delete(this);
  };
  return { requests: 0, waiting, onAnswered, isLast: false, isEnding: false };
}
