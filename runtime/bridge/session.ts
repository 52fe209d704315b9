/**
 * The host's end of the bridge to one guest: calls of the guest, the guest's calls of capabilities (Comlink behind the
 * guard), and bodies in pieces, over one channel that coalesces and counts.
 */
import { BodyStreams, type ByteSource, StreamViolation } from '@plexichat/sdk/protocol/body-streams';
import type { CallResult, GuestApi } from '@plexichat/sdk/protocol/guest-api';
import * as Comlink from 'comlink';
import { cutBatches } from './batches.ts';
import { Caller, type PendingCall } from './caller.ts';
import { FrameError, parseWeighed } from './codec.ts';
import { type CallTable, type ReplyMessage, readGuestMessage } from './guard.ts';
import type { Batch, Channel, Outbox } from './outbox.ts';
import { ANSWER_COST, CALL_COST, MAX_MESSAGES, weighHead, weighPart } from './parse-cost.ts';
import type { Quota } from './quota.ts';

/** One message; larger bodies are streamed. Four bytes a character still fit in a frame. */
export const MAX_MESSAGE_CHARACTERS = 3 * 1024 * 1024;

/** One batch from a guest: its kernel cuts them at a million, and a call has at most two. */
const MAX_HEAD_CHARACTERS = 4 * 1024 * 1024;
/** What escapes add to a text below this is not worth looking at, at the rate at which short answers come. */
const SHORT_TEXT = 2_000;
/** Of bodies that the guest sends and that nobody has begun to read. */
const MAX_UNCLAIMED_BYTES = 16 * 1024 * 1024;

export interface SessionOptions {
  /** Unguessable within its cell. */
  readonly channel: number;
  readonly outbox: Outbox;
  readonly calls: CallTable;
  readonly quota: Quota;
  /** The guest said something that it may not say. */
  readonly onViolation: (reason: string) => void;
  /** The guest broke the rules once too often; the session is of no use any more. */
  readonly onFlood: (limit: 'bytes' | 'violations', reason: string) => void;
}

type Listener = (event: { data: unknown }) => void;
type EventListenerLike = Listener | { handleEvent: Listener };

export class Session implements Channel {
  readonly id: number;
  readonly #options: SessionOptions;
  readonly #streams: BodyStreams;
  readonly #caller: Caller;
  #callListener: Listener = () => {};
  #heads: string[] = [];
  /** The binary part of the message at the same place in #heads. */
  #parts: (Uint8Array | undefined)[] = [];
  #closed: Error | undefined;

  constructor(options: SessionOptions) {
    this.id = options.channel;
    this.#options = options;
    this.#streams = new BodyStreams(
      { send: (message, part) => this.#post(JSON.stringify(message), part) },
      MAX_UNCLAIMED_BYTES,
    );
    this.#caller = new Caller((message) => this.#post(message, undefined));
    Comlink.expose(
      options.calls,
      this.#endpoint((listener) => {
        this.#callListener = listener;
      }),
    );
  }

  /** Calls the guest. The answer is unknown until a schema has passed it; it rejects with what `settle` or `close` say. */
  call(method: keyof GuestApi, ...args: unknown[]): PendingCall {
    if (this.#closed !== undefined) throw this.#closed;
    return this.#caller.call(method, args);
  }

  /** The same for arguments that are JSON already. */
  callText(method: keyof GuestApi, ...args: string[]): PendingCall {
    if (this.#closed !== undefined) throw this.#closed;
    return this.#caller.callText(method, args);
  }

  /** Ends a call that the guest has not answered; a late answer is dropped. */
  settle(id: string, error: Error): void {
    this.#caller.settle(id, error);
  }

  /** Calls that the host gave up on and that the guest has not answered yet. */
  get abandoned(): number {
    return this.#caller.abandoned;
  }

  isAbandoned(id: string): boolean {
    return this.#caller.isAbandoned(id);
  }

  /** Bodies that are under way to somebody; not what a guest announces and nobody reads. */
  get openStreams(): number {
    return this.#streams.inUse;
  }

  writeStream(source: ByteSource): number {
    return this.#streams.write(source);
  }

  /** @throws StreamViolation when the guest names a stream that it does not have. */
  readStream(id: number): ByteSource {
    return this.#streams.read(id);
  }

  /**
   * Lets go of a body that the guest sent and that nobody will read: it would hold its window for ever.
   * @param body a BodyRef, or whatever the guest sent in its place
   */
  discard(body: unknown): void {
    const stream = (body as { stream?: unknown } | null | undefined)?.stream;
    if (this.#closed !== undefined || typeof stream !== 'number' || !Number.isSafeInteger(stream) || stream < 1) return;
    try {
      this.#streams.read(stream).cancel();
    } catch (error) {
      if (!(error instanceof StreamViolation)) throw error;
    }
  }

  /** Takes one batch from the guest. */
  receive(head: string, parts: readonly Uint8Array[]): void {
    if (this.#closed !== undefined) return;
    // Boundary: text is counted before it is parsed, since parsing is what it costs.
    if (head.length > MAX_HEAD_CHARACTERS || !this.#options.quota.receive(head.length)) {
      this.#options.onFlood('bytes', 'sends more text than its quota');
      return;
    }
    // What an open stream takes is bounded by its credit already; only the rest counts against the quota.
    let bytes = 0;
    for (const part of parts) bytes += weighPart(part);
    try {
      if (!this.#options.quota.receive(weighHead(head))) {
        this.#options.onFlood('bytes', 'sends text that takes longer to read than its quota');
        return;
      }
      const batch = parseWeighed(head);
      if (!Array.isArray(batch)) throw new FrameError('is not a list of messages');
      if (batch.length > MAX_MESSAGES)
        throw new FrameError(`${batch.length} messages at once, at most ${MAX_MESSAGES}`);
      let part = 0;
      for (const message of batch) {
        const chunk = isChunk(message) ? parts[part++] : undefined;
        if (this.#accept(message, chunk) && chunk !== undefined) bytes -= weighPart(chunk);
        if (this.#closed !== undefined) return;
      }
    } catch (error) {
      if (!(error instanceof FrameError) && !(error instanceof StreamViolation)) throw error;
      this.#violate(error.message);
    }
    if (!this.#options.quota.receive(bytes)) this.#options.onFlood('bytes', 'sends more bytes than its quota');
  }

  drain(): readonly Batch[] {
    const heads = this.#heads;
    const parts = this.#parts;
    this.#heads = [];
    this.#parts = [];
    return cutBatches(heads, parts);
  }

  /** Settles everything that is open with `reason`. */
  close(reason: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#caller.settleAll(reason);
    this.#streams.close(reason);
  }

  /** True when an open stream took the part. */
  #accept(message: unknown, part: Uint8Array | undefined): boolean {
    const read = readGuestMessage(message, this.#options.calls);
    switch (read.kind) {
      case 'reply':
        this.#acceptReply(read.reply);
        return false;
      case 'call':
        if (!this.#options.quota.receive(CALL_COST)) this.#options.onFlood('bytes', 'calls without end');
        else this.#callListener({ data: read.call });
        return false;
      case 'stream':
        // The part is a view of the socket's memory (and Buffer's slice is another view): a chunk needs its own copy.
        return this.#streams.accept(read.message, part === undefined ? undefined : new Uint8Array(part));
      case 'violation':
        this.#violate(read.reason);
        return false;
    }
  }

  #acceptReply({ id, value }: ReplyMessage): void {
    const fate = this.#caller.reply(id, value);
    // A text that somebody waits for, or did, is bounded by who asks, and cheap to parse: it does not count as chatter.
    if (fate !== 'unknown') this.#options.quota.refund(textLength(value) + ANSWER_COST);
    if (fate === 'late') this.discard((value as { body?: unknown } | null)?.body);
    else if (fate === 'unknown') this.#violate('a reply to no call');
  }

  #violate(reason: string): void {
    this.#options.onViolation(reason);
    if (!this.#options.quota.violate()) this.#options.onFlood('violations', 'keeps breaking the bridge contract');
  }

  #post(message: string, part: Uint8Array | undefined): void {
    if (this.#closed !== undefined) return;
    if (message.length > MAX_MESSAGE_CHARACTERS) {
      throw new RangeError(`A message of ${message.length} characters, at most ${MAX_MESSAGE_CHARACTERS}.`);
    }
    this.#heads.push(message);
    this.#parts.push(part);
    this.#options.outbox.touch(this);
  }

  #endpoint(listen: (listener: Listener) => void): Comlink.Endpoint {
    return {
      postMessage: (message: { id: string; value?: { value?: unknown } }) => {
        const text = toText(message);
        // Texts were counted when they were read.
        if (typeof message.value?.value !== 'string') this.#options.quota.answered(text.length);
        this.#post(text, undefined);
      },
      addEventListener: (_type: string, listener: EventListenerLike) => {
        listen(typeof listener === 'function' ? listener : (event) => listener.handleEvent(event));
      },
      removeEventListener: () => {},
    } as unknown as Comlink.Endpoint;
  }
}

/**
 * Boundary: Comlink sends what it could not send otherwise (a value that JSON does not know, one that is too large) as
 * an error with its stack; a guest gets a sentence instead.
 */
function toText(message: { id: string; type?: unknown }): string {
  if (message.type !== 'HANDLER') return JSON.stringify(message);
  const value: CallResult = { ok: false, code: 'INTERNAL', message: 'The answer of the host cannot be sent.' };
  return JSON.stringify({ id: message.id, type: 'RAW', value });
}

function textLength(value: unknown): number {
  const text = (value as { body?: { text?: unknown } | null } | null | undefined)?.body?.text;
  if (typeof text !== 'string') return 0;
  // As it came: quotes and control characters take two to six characters on the way.
  return text.length < SHORT_TEXT ? text.length : JSON.stringify(text).length;
}

/** Parts belong to chunk messages in order, whatever becomes of the message. */
function isChunk(message: unknown): boolean {
  return typeof message === 'object' && message !== null && (message as { op?: unknown }).op === 'chunk';
}
