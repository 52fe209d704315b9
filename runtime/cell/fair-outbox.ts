/**
 * The cell's way to the host: one socket for all its instances, with a lane for each. A lane takes its turn with the
 * others, so that one which is full holds up itself and not its neighbours. What leaves in one turn of the event loop
 * leaves in one write.
 */
import { encodeFrame } from '../bridge/codec.ts';

interface OutboxSocket {
  readonly writableLength: number;
  write(bytes: Buffer): unknown;
  on(event: 'drain', listener: () => void): unknown;
}

interface Lane {
  readonly frames: Buffer[];
  /** The first frame that has not left. */
  next: number;
  bytes: number;
}

/** What the socket holds at most, beside one round of the lanes; more than what makes it say `drain`. */
const WINDOW_BYTES = 256 * 1024;
/** Of one lane in one round; a larger frame goes alone. */
const ROUND_BYTES = 64 * 1024;
/** Frames after which a turn does not wait for its end: the host works on the first while the rest is made. */
const FLUSH_AT = 8;
/** A small frame costs its keeper more than its bytes. */
const MIN_FRAME_BYTES = 512;
const COMPACT_AT = 1024;

export class FairOutbox {
  readonly #socket: OutboxSocket;
  readonly #lanes = new Map<number, Lane>();
  #scheduled: NodeJS.Immediate | undefined;
  #posted = 0;

  constructor(socket: OutboxSocket) {
    this.#socket = socket;
    socket.on('drain', () => this.#flush());
  }

  /** @param lane frames of one lane leave in order. @throws FrameError when the frame breaks a bound of the format */
  frame(lane: number, kind: number, channel: number, head: string, parts: readonly Uint8Array[]): void {
    const frame = encodeFrame(kind, channel, head, parts);
    let waiting = this.#lanes.get(lane);
    if (waiting === undefined) {
      waiting = { frames: [], next: 0, bytes: 0 };
      this.#lanes.set(lane, waiting);
    }
    waiting.frames.push(frame);
    waiting.bytes += costOf(frame);
    this.#posted += 1;
    if (this.#posted >= FLUSH_AT) this.#flush();
    else this.#scheduled ??= setImmediate(() => this.#flush());
  }

  /** Of one lane, for what the socket has not been given yet. */
  waitingBytes(lane: number): number {
    return this.#lanes.get(lane)?.bytes ?? 0;
  }

  /** Nobody wants to know any more what waits in a lane. */
  drop(lane: number): void {
    this.#lanes.delete(lane);
  }

  #flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#posted = 0;
    // What is left over waits for the socket to drain.
    while (this.#lanes.size > 0 && this.#socket.writableLength <= WINDOW_BYTES) {
      const round: Buffer[] = [];
      for (const [id, lane] of this.#lanes) {
        takeRound(lane, round);
        if (lane.next === lane.frames.length) this.#lanes.delete(id);
      }
      const [only] = round;
      if (only !== undefined) this.#socket.write(round.length === 1 ? only : Buffer.concat(round));
    }
  }
}

function takeRound(lane: Lane, round: Buffer[]): void {
  let taken = 0;
  while (taken < ROUND_BYTES) {
    const frame = lane.frames[lane.next];
    if (frame === undefined || (taken > 0 && taken + frame.length > ROUND_BYTES)) break;
    lane.next += 1;
    lane.bytes -= costOf(frame);
    taken += frame.length;
    round.push(frame);
  }
  // Not one by one: a lane may hold very many.
  if (lane.next >= COMPACT_AT) {
    lane.frames.splice(0, lane.next);
    lane.next = 0;
  }
}

function costOf(frame: Buffer): number {
  return Math.max(frame.length, MIN_FRAME_BYTES);
}
