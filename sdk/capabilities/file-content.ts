/** What an author writes into a file, on its way to the host. */
import { describeValue } from '../module/describe-value.ts';
import type { ByteSource, HostBinding } from '../module/host-binding.ts';
import { sendText } from '../module/web-bridge.ts';
import type { BodyRef } from '../protocol/invocation.ts';

/** Text becomes UTF-8; a stream gives bytes or text in pieces. */
export type FileContent = string | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array | string>;

export interface OpenedContent {
  readonly body: BodyRef;
  /** What the author's stream failed with. */
  failure(): unknown;
}

const EMPTY: BodyRef = { kind: 'none' };

/** @param place for errors @throws TypeError when it is something else, or a stream that somebody reads */
export function openContent(content: FileContent, host: HostBinding, place: string): OpenedContent {
  if (typeof content === 'string') return { body: sendText(content, host), failure: () => undefined };
  const bytes = toBytes(content);
  if (bytes !== undefined) {
    const body = bytes.byteLength === 0 ? EMPTY : stream(host, piecesOf(bytes));
    return { body, failure: () => undefined };
  }
  if (!isStream(content)) {
    throw new TypeError(
      `${place}: the content must be text, bytes or a ReadableStream, found ${describeValue(content)}.`,
    );
  }
  if (content.locked) throw new TypeError(`${place}: the stream is being read already.`);
  let failure: unknown;
  const source = readerOf(content, place, (error) => {
    failure = error;
  });
  return { body: stream(host, source), failure: () => failure };
}

function stream(host: HostBinding, source: ByteSource): BodyRef {
  return { kind: 'stream', stream: host.writeStream(source) };
}

function toBytes(content: unknown): Uint8Array | undefined {
  if (content instanceof ArrayBuffer) return new Uint8Array(content);
  if (!ArrayBuffer.isView(content)) return undefined;
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}

/** By shape: an author's library may bring streams of its own. */
function isStream(content: unknown): content is ReadableStream<unknown> {
  return typeof content === 'object' && content !== null && typeof Reflect.get(content, 'getReader') === 'function';
}

function piecesOf(bytes: Uint8Array): ByteSource {
  let rest: Uint8Array | undefined = bytes;
  return {
    async read() {
      const piece = rest;
      rest = undefined;
      return piece;
    },
    cancel() {
      rest = undefined;
    },
  };
}

function readerOf(content: ReadableStream<unknown>, place: string, onFailure: (error: unknown) => void): ByteSource {
  const reader = content.getReader();
  return {
    async read() {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return undefined;
          const piece = typeof value === 'string' ? new TextEncoder().encode(value) : toBytes(value);
          if (piece === undefined) {
            throw new TypeError(`${place}: the stream must give bytes or text, found ${describeValue(value)}.`);
          }
          if (piece.byteLength > 0) return piece;
        }
      } catch (error) {
        onFailure(error);
        throw error;
      }
    },
    cancel: () => void reader.cancel().catch(() => {}),
  };
}
