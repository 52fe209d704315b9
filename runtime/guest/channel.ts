/**
 * The guest's end of the bridge: strings of JSON and ArrayBuffers over one port, the messages of a turn in one string.
 * The binary parts of a batch come before the batch, in the order of its chunk messages.
 */
import type { StreamMessage } from '@plexichat/sdk/protocol/body-streams';
import { structureCost } from '@plexichat/sdk/protocol/json-cost';
import { bindPort, type GuestPort } from './port.ts';

export interface WireMessage {
  readonly id?: unknown;
  readonly path?: unknown;
  readonly stream?: unknown;
  readonly op?: unknown;
  readonly value?: unknown;
}

export interface GuestChannel {
  post(message: unknown, part?: Uint8Array): void;
}

export interface ChannelReader {
  call(message: WireMessage): void;
  reply(message: WireMessage): void;
  stream(message: StreamMessage, part: Uint8Array | undefined): void;
}

/** A batch with more leaves at once: the cell takes only so much in one, and the answers of a turn may be many. */
const BATCH_CHARACTERS = 1024 * 1024;
const BATCH_PARTS = 128;
/** Answers are many and short; the host takes so many keys at once, and no more. */
const BATCH_MESSAGES = 1024;
/** One call to the host; the limits of the host (runtime/bridge) are a little wider. */
const MAX_CALL_CHARACTERS = 2 * 1024 * 1024;
const MAX_CALL_DEPTH = 60;
const MAX_CALL_STRUCTURE = 2 * 1024 * 1024;
/** How many microtask hops the first message of a turn waits for company. */
const MAX_HOPS = 6;

export function openChannel(port: GuestPort, reader: ChannelReader): GuestChannel {
  const { parse, stringify } = JSON;
  let arrived: ArrayBuffer[] = [];
  let heads: string[] = [];
  let parts: ArrayBuffer[] = [];
  let characters = 0;
  let scheduled = false;

  const read = (text: string): void => {
    const batch: WireMessage[] = parse(text);
    const buffers = arrived;
    arrived = [];
    let next = 0;
    for (const message of batch) {
      if (message.stream !== undefined) {
        const buffer = message.op === 'chunk' ? buffers[next++] : undefined;
        reader.stream(message as StreamMessage, buffer === undefined ? undefined : new Uint8Array(buffer));
      } else if (message.path !== undefined) {
        reader.call(message);
      } else {
        reader.reply(message);
      }
    }
  };

  const send = bindPort(port, (data) => {
    if (typeof data === 'string') read(data);
    else if (data instanceof ArrayBuffer) arrived.push(data);
  });

  const flush = (): void => {
    if (heads.length === 0) return;
    const batch = `[${heads.join(',')}]`;
    const buffers = parts;
    heads = [];
    parts = [];
    characters = 0;
    for (const buffer of buffers) send(buffer);
    send(batch);
  };

  // Answers of one incoming batch settle within a few microtasks of each other: waiting while more arrive lets them
  // leave as one message, and costs a lone answer nothing that can be measured.
  const hop = (seen: number, hops: number): void => {
    if (hops === MAX_HOPS || (hops > 1 && heads.length === seen)) {
      scheduled = false;
      flush();
      return;
    }
    const now = heads.length;
    void resolved.then(() => hop(now, hops + 1));
  };
  const resolved = Promise.resolve();

  return {
    post(message, part) {
      const head = stringify(message);
      if ((message as WireMessage).path !== undefined) assertSendable(head);
      heads.push(head);
      characters += head.length;
      if (part !== undefined) parts.push(exactBuffer(part));
      if (characters > BATCH_CHARACTERS || parts.length >= BATCH_PARTS || heads.length >= BATCH_MESSAGES) flush();
      if (scheduled) return;
      scheduled = true;
      hop(0, 0);
    },
  };
}

/** A call that the host would refuse unread, with all that travels beside it. @throws RangeError */
function assertSendable(head: string): void {
  if (head.length > MAX_CALL_CHARACTERS) {
    throw new RangeError(`A call of ${head.length} characters to the host, at most ${MAX_CALL_CHARACTERS}.`);
  }
  const cost = structureCost(head, MAX_CALL_DEPTH);
  if (cost === undefined) {
    throw new RangeError(`A value that nests deeper than ${MAX_CALL_DEPTH} levels cannot be sent to the host.`);
  }
  if (cost > MAX_CALL_STRUCTURE) {
    throw new RangeError('A value of so many lists, objects and keys cannot be sent to the host: send it as text.');
  }
}

function exactBuffer(part: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(part.byteLength);
  copy.set(part);
  return copy.buffer;
}
