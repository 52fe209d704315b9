/**
 * Frames on the socket between host and cell. Little endian:
 * u32 bytes after this field · u8 kind · u48 channel · u32 head bytes · head (UTF-8 JSON) · parts (u32 bytes, bytes)*
 * Everything is bounded before anything is parsed; a frame that breaks a bound ends the connection.
 */
export const FRAME_KIND = { batch: 1, control: 2 } as const;

/** A whole frame. Larger answers travel as streamed chunks. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;
export const MAX_PARTS = 1024;
/** Nesting of one JSON head; deeper text is refused before it is parsed. */
export const MAX_DEPTH = 64;
const LENGTH_BYTES = 4;
const FIXED_BYTES = 11;
const NOTHING = Buffer.alloc(0);

export interface Frame {
  readonly kind: number;
  readonly channel: number;
  readonly head: string;
  readonly parts: readonly Uint8Array[];
}

/** The peer broke the frame format. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** @throws FrameError when the frame is larger than the format allows; nothing was written then. */
export function encodeFrame(kind: number, channel: number, head: string, parts: readonly Uint8Array[]): Buffer {
  // The other end refuses what breaks a bound, and its process with it: nothing of the kind may leave here.
  if (parts.length > MAX_PARTS) throw new FrameError(`frame of ${parts.length} parts, at most ${MAX_PARTS}`);
  const headBytes = Buffer.byteLength(head);
  let total = FIXED_BYTES + headBytes;
  for (const part of parts) total += 4 + part.byteLength;
  if (total > MAX_FRAME_BYTES) throw new FrameError(`frame of ${total} bytes, at most ${MAX_FRAME_BYTES}`);
  const frame = Buffer.allocUnsafe(4 + total);
  frame.writeUInt32LE(total, 0);
  frame.writeUInt8(kind, 4);
  frame.writeUIntLE(channel, 5, 6);
  frame.writeUInt32LE(headBytes, 11);
  frame.write(head, 15, headBytes, 'utf8');
  let offset = 15 + headBytes;
  for (const part of parts) {
    frame.writeUInt32LE(part.byteLength, offset);
    frame.set(part, offset + 4);
    offset += 4 + part.byteLength;
  }
  return frame;
}

/** Cuts a byte stream into frames. Parts are views of the received memory: copy what outlives the callback. */
export class FrameDecoder {
  /** The frame that has begun and whose rest is still to come: its length alone, then all of it. */
  #frame = NOTHING;
  #filled = 0;
  #broken = false;

  /** @throws FrameError; the decoder is of no use afterwards and takes nothing more. */
  push(data: Buffer, take: (frame: Frame) => void): void {
    if (this.#broken) return;
    try {
      this.#push(data, take);
    } catch (error) {
      this.#broken = true;
      this.#frame = NOTHING;
      throw error;
    }
  }

  #push(data: Buffer, take: (frame: Frame) => void): void {
    let rest = data;
    while (rest.length > 0) {
      if (this.#filled === 0) {
        rest = takeWhole(rest, take);
        if (rest.length === 0) return;
        this.#frame = Buffer.allocUnsafe(LENGTH_BYTES);
      }
      // Boundary: what has come is copied into one piece. A peer that sends byte by byte would otherwise have the host
      // keep an object per byte, which is hundreds of times the bytes.
      const copied = rest.copy(this.#frame, this.#filled);
      this.#filled += copied;
      rest = rest.subarray(copied);
      if (this.#filled < this.#frame.length) return;
      if (this.#filled === LENGTH_BYTES) {
        const frame = Buffer.allocUnsafe(LENGTH_BYTES + lengthOf(this.#frame));
        frame.set(this.#frame);
        this.#frame = frame;
      } else {
        const frame = this.#frame;
        this.#frame = NOTHING;
        this.#filled = 0;
        take(readFrame(frame.subarray(LENGTH_BYTES)));
      }
    }
  }
}

/** Takes the frames that are there as a whole, without a copy, and gives what follows them. */
function takeWhole(data: Buffer, take: (frame: Frame) => void): Buffer {
  let rest = data;
  while (rest.length >= LENGTH_BYTES) {
    const end = LENGTH_BYTES + lengthOf(rest);
    if (rest.length < end) break;
    take(readFrame(rest.subarray(LENGTH_BYTES, end)));
    rest = rest.subarray(end);
  }
  return rest;
}

function lengthOf(bytes: Buffer): number {
  const length = bytes.readUInt32LE(0);
  if (length > MAX_FRAME_BYTES || length < FIXED_BYTES) {
    throw new FrameError(`frame of ${length} bytes, allowed ${FIXED_BYTES} to ${MAX_FRAME_BYTES}`);
  }
  return length;
}

function readFrame(bytes: Buffer): Frame {
  const headEnd = FIXED_BYTES + bytes.readUInt32LE(7);
  if (headEnd > bytes.length) throw new FrameError('the head is longer than its frame');
  const parts: Uint8Array[] = [];
  let offset = headEnd;
  while (offset < bytes.length) {
    if (bytes.length - offset < 4) throw new FrameError('a part has no length');
    const end = offset + 4 + bytes.readUInt32LE(offset);
    if (end > bytes.length) throw new FrameError('a part is longer than its frame');
    if (parts.length === MAX_PARTS) throw new FrameError(`more than ${MAX_PARTS} parts`);
    parts.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  return {
    kind: bytes.readUInt8(0),
    channel: bytes.readUIntLE(1, 6),
    head: bytes.toString('utf8', FIXED_BYTES, headEnd),
    parts,
  };
}

/** Parses a head that was weighed (parse-cost.ts): what is parsed is walked by recursive code later. @throws FrameError */
export function parseWeighed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FrameError('is not JSON');
  }
}
