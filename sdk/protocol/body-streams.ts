/**
 * Bodies that arrive in pieces, over either direction of the bridge, with credit: a sender may have at most
 * WINDOW_BYTES on the way that the receiver has not consumed. Pure, so that host and guest run the same rules.
 *
 * chunk, end, error go from the one who sends the data; credit, cancel from the one who reads it.
 */

/** A pull source of bytes. `read` resolves undefined at the end and rejects when the source fails. */
export interface ByteSource {
  read(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

export type StreamMessage =
  | { readonly stream: number; readonly op: 'chunk' }
  | { readonly stream: number; readonly op: 'end' }
  | { readonly stream: number; readonly op: 'error'; readonly message: string }
  | { readonly stream: number; readonly op: 'credit'; readonly bytes: number }
  | { readonly stream: number; readonly op: 'cancel' };

/** Unconsumed bytes that may be on the way, per stream. */
export const WINDOW_BYTES = 256 * 1024;
/** A chunk is cut to this before it is sent: one chunk is one binary part of a frame. */
export const CHUNK_BYTES = 64 * 1024;
/** What a chunk uses of the window at least: a chunk of one byte costs its receiver far more than a byte. */
const MIN_COST_BYTES = 256;
/** Bodies that are being sent at once, per direction and instance. */
export const MAX_STREAMS = 256;
/**
 * Bodies that arrive, with those that have ended and that nobody has begun to read: of short ones a peer may end many
 * in the batch that names them.
 */
export const MAX_ARRIVING = 4 * MAX_STREAMS;

/** What a table needs to send. A chunk's bytes travel as a binary part beside the message. */
export interface StreamWire {
  send(message: StreamMessage, part?: Uint8Array): void;
}

/** What a peer did against the rules; the bridge counts it as a violation. */
export class StreamViolation extends Error {
  override readonly name = 'StreamViolation';
}

function costOf(chunk: Uint8Array): number {
  return Math.max(chunk.byteLength, MIN_COST_BYTES);
}

/** Whoever read it is gone: a source that fails to stop has nobody to tell, and must not take its neighbours down. */
function letGo(source: ByteSource): void {
  try {
    source.cancel();
  } catch {}
}

interface Outgoing {
  readonly source: ByteSource;
  credit: number;
  wake: (() => void) | undefined;
  cancelled: boolean;
}

class Incoming implements ByteSource {
  readonly #chunks: Uint8Array[] = [];
  readonly #consumed: (bytes: number) => void;
  readonly #cancelled: () => void;
  #waiting: { resolve: (chunk: Uint8Array | undefined) => void; reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;
  #ended = false;
  unconsumed = 0;

  constructor(consumed: (bytes: number) => void, cancelled: () => void) {
    this.#consumed = consumed;
    this.#cancelled = cancelled;
  }

  get settled(): boolean {
    return this.#ended || this.#failure !== undefined;
  }

  push(chunk: Uint8Array): void {
    this.unconsumed += costOf(chunk);
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#chunks.push(chunk);
      return;
    }
    this.#waiting = undefined;
    this.#release(chunk);
    waiting.resolve(chunk);
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }

  fail(error: Error): void {
    if (this.settled) return;
    this.#failure = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  read(): Promise<Uint8Array | undefined> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#release(chunk);
      return Promise.resolve(chunk);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(undefined);
    if (this.#waiting !== undefined) return Promise.reject(new TypeError('This body is being read already.'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  cancel(): void {
    this.#chunks.length = 0;
    if (this.settled) return;
    this.end();
    this.#cancelled();
  }

  #release(chunk: Uint8Array): void {
    this.unconsumed -= costOf(chunk);
    if (!this.settled) this.#consumed(costOf(chunk));
  }
}

/** Both directions of one session's streams. Whoever made it calls `close`. */
export class BodyStreams {
  readonly #wire: StreamWire;
  readonly #maxUnclaimedBytes: number;
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #incoming = new Map<number, Incoming>();
  readonly #claimed = new Set<number>();
  /** Of the streams that arrive and that nobody has begun to read. */
  #unclaimed = 0;
  #nextId = 1;
  /** The peer's highest stream so far; a BodyRef or a first chunk names a new one, whichever comes first. */
  #lastOpened = 0;
  #closed: Error | undefined;

  /** @param maxUnclaimedBytes of all streams that nobody reads yet: their windows add up. Beyond it is a violation. */
  constructor(wire: StreamWire, maxUnclaimedBytes = Number.POSITIVE_INFINITY) {
    this.#wire = wire;
    this.#maxUnclaimedBytes = maxUnclaimedBytes;
  }

  /** Streams that are still open, both directions. */
  get open(): number {
    return this.#outgoing.size + this.#incoming.size;
  }

  /** Of these, what is sent and what somebody reads. */
  get inUse(): number {
    return this.#outgoing.size + this.#claimed.size;
  }

  /** Starts to send a body and gives the number that the peer reads it by. */
  write(source: ByteSource): number {
    if (this.#closed !== undefined) {
      letGo(source);
      throw this.#closed;
    }
    if (this.#outgoing.size >= MAX_STREAMS) {
      letGo(source);
      throw new RangeError(`At most ${MAX_STREAMS} bodies may be streamed at once.`);
    }
    const id = this.#nextId++;
    const outgoing: Outgoing = { source, credit: WINDOW_BYTES, wake: undefined, cancelled: false };
    this.#outgoing.set(id, outgoing);
    void this.#pump(id, outgoing);
    return id;
  }

  /** Opens the peer's stream `id` for reading, once. @throws StreamViolation */
  read(id: number): ByteSource {
    if (this.#closed !== undefined) throw this.#closed;
    const incoming = this.#arriving(id);
    if (incoming === undefined || this.#claimed.has(id)) {
      throw new StreamViolation(`stream ${id} does not exist or is being read already`);
    }
    this.#claimed.add(id);
    this.#unclaimed -= incoming.unconsumed;
    if (incoming.settled) this.#forget(id);
    return incoming;
  }

  /** Takes one checked message from the peer. True when an open stream took the part. @throws StreamViolation */
  accept(message: StreamMessage, part: Uint8Array | undefined): boolean {
    if (this.#closed !== undefined) return false;
    switch (message.op) {
      case 'chunk':
        if (part === undefined) throw new StreamViolation('a chunk came without its bytes');
        return this.#acceptChunk(message.stream, part);
      case 'end':
      case 'error': {
        const incoming = this.#arriving(message.stream);
        if (incoming === undefined) return false;
        if (message.op === 'end') incoming.end();
        else incoming.fail(new Error(message.message));
        if (this.#claimed.has(message.stream)) this.#forget(message.stream);
        return false;
      }
      case 'credit': {
        const outgoing = this.#sending(message.stream);
        if (outgoing === undefined) return false;
        outgoing.credit = Math.min(WINDOW_BYTES, outgoing.credit + message.bytes);
        outgoing.wake?.();
        return false;
      }
      case 'cancel': {
        const outgoing = this.#sending(message.stream);
        if (outgoing === undefined) return false;
        outgoing.cancelled = true;
        letGo(outgoing.source);
        outgoing.wake?.();
        this.#outgoing.delete(message.stream);
      }
    }
    return false;
  }

  /** Ends every stream; readers get `reason`, sources are cancelled. */
  close(reason: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    for (const incoming of this.#incoming.values()) incoming.fail(reason);
    for (const outgoing of this.#outgoing.values()) {
      outgoing.cancelled = true;
      letGo(outgoing.source);
      outgoing.wake?.();
    }
    this.#incoming.clear();
    this.#claimed.clear();
    this.#outgoing.clear();
  }

  /** The stream of ours that a message is about; undefined when it is over. */
  #sending(id: number): Outgoing | undefined {
    if (id >= this.#nextId) throw new StreamViolation(`stream ${id} was never opened`);
    return this.#outgoing.get(id);
  }

  #acceptChunk(id: number, part: Uint8Array): boolean {
    const incoming = this.#arriving(id);
    if (incoming === undefined) return false;
    if (incoming.settled) throw new StreamViolation(`stream ${id} went on after its end`);
    if (part.byteLength === 0) throw new StreamViolation(`stream ${id} sent a chunk of no bytes`);
    if (incoming.unconsumed + costOf(part) > WINDOW_BYTES) {
      throw new StreamViolation(`stream ${id} sent more than its credit`);
    }
    if (!this.#claimed.has(id)) {
      if (this.#unclaimed + costOf(part) > this.#maxUnclaimedBytes) {
        throw new StreamViolation('the bodies that nobody reads are more than allowed');
      }
      this.#unclaimed += costOf(part);
    }
    incoming.push(part);
    return true;
  }

  /** The stream that a message is about: known, new (numbers only grow), or already over (undefined). */
  #arriving(id: number): Incoming | undefined {
    const known = this.#incoming.get(id);
    if (known !== undefined || id <= this.#lastOpened) return known;
    this.#announce(id);
    return this.#incoming.get(id);
  }

  #announce(id: number): void {
    if (id > this.#lastOpened + MAX_STREAMS) throw new StreamViolation(`stream ${id} skips numbers`);
    if (this.#incoming.size + id - this.#lastOpened > MAX_ARRIVING)
      throw new StreamViolation(`more than ${MAX_ARRIVING} streams at once`);
    // Numbers may be named out of order within one turn: everything up to `id` exists from now on.
    for (let next = this.#lastOpened + 1; next <= id; next++) {
      this.#incoming.set(
        next,
        new Incoming(
          (bytes) => this.#wire.send({ stream: next, op: 'credit', bytes }),
          () => {
            this.#wire.send({ stream: next, op: 'cancel' });
            this.#forget(next);
          },
        ),
      );
    }
    this.#lastOpened = id;
  }

  #forget(id: number): void {
    this.#incoming.delete(id);
    this.#claimed.delete(id);
  }

  async #pump(id: number, outgoing: Outgoing): Promise<void> {
    try {
      while (!outgoing.cancelled) {
        const chunk = await outgoing.source.read();
        if (outgoing.cancelled) return;
        if (chunk === undefined) {
          this.#wire.send({ stream: id, op: 'end' });
          return;
        }
        for (let offset = 0; offset < chunk.byteLength; offset += CHUNK_BYTES) {
          const piece = chunk.subarray(offset, offset + CHUNK_BYTES);
          const cost = costOf(piece);
          while (outgoing.credit < cost && !outgoing.cancelled) {
            await new Promise<void>((resolve) => {
              outgoing.wake = resolve;
            });
            outgoing.wake = undefined;
          }
          if (outgoing.cancelled) return;
          outgoing.credit -= cost;
          this.#wire.send({ stream: id, op: 'chunk' }, piece);
        }
      }
    } catch (error) {
      if (!outgoing.cancelled) {
        this.#wire.send({ stream: id, op: 'error', message: error instanceof Error ? error.message : 'read failed' });
      }
    } finally {
      this.#outgoing.delete(id);
    }
  }
}
