/**
 * Bodies between the web classes and the bridge. The realm's own Request and Response take and give a body without
 * making a stream; the classes of Node (in tests) and of an author's library go the long way, over ReadableStream.
 */
import type { BodyRef } from '../protocol/invocation.ts';
import type { ByteSource, HostBinding } from './host-binding.ts';

const TAKE = Symbol.for('plexichat.web.take-body');
const SOURCE = Symbol.for('plexichat.web.byte-source');

/** Longer text goes as a stream, which has back-pressure; shorter text rides in the frame of its answer. */
const MAX_INLINE_CHARACTERS = 256 * 1024;
const MAX_INLINE_BYTES = 64 * 1024;
const CHUNK_CHARACTERS = 64 * 1024;

/** What `new Response` takes; the name BodyInit does not exist everywhere. */
type WebBody = NonNullable<ConstructorParameters<typeof Response>[0]>;

type TakenBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'source'; readonly source: ByteSource };

/** What a Request or Response carries, as it crosses. @throws TypeError when it has been read already */
/** @param onCancel called when the reader of a body in pieces goes away */
export function sendBody(message: Request | Response, host: HostBinding, onCancel?: () => void): BodyRef {
  const taken = takeBody(message);
  if (taken.kind === 'none') return taken;
  if (taken.kind === 'text') return sendText(taken.text, host);
  if (taken.kind === 'source')
    return { kind: 'stream', stream: host.writeStream(noticeCancel(taken.source, onCancel)) };
  const text = taken.bytes.byteLength <= MAX_INLINE_BYTES ? decodeExactly(taken.bytes) : undefined;
  if (text !== undefined) return { kind: 'text', text };
  return { kind: 'stream', stream: host.writeStream(onePiece(taken.bytes)) };
}

function noticeCancel(source: ByteSource, onCancel: (() => void) | undefined): ByteSource {
  if (onCancel === undefined) return source;
  return {
    read: () => source.read(),
    cancel: () => {
      try {
        source.cancel();
      } finally {
        onCancel();
      }
    },
  };
}

export function sendText(text: string, host: HostBinding): BodyRef {
  if (text.length <= MAX_INLINE_CHARACTERS) return { kind: 'text', text };
  return { kind: 'stream', stream: host.writeStream(piecesOf(text.toWellFormed())) };
}

/** A body of the bridge as something that `new Request` and `new Response` take. */
export function receiveBody(body: BodyRef, host: HostBinding): WebBody | null {
  if (body.kind === 'none') return null;
  if (body.kind === 'text') return body.text;
  return receiveSource(host.readStream(body.stream));
}

export function receiveSource(source: ByteSource): WebBody {
  if (TAKE in Response.prototype) return { [SOURCE]: source } as unknown as WebBody;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        const chunk = await source.read();
        if (chunk === undefined) controller.close();
        else controller.enqueue(new Uint8Array(chunk));
      },
      cancel: () => source.cancel(),
    },
    { highWaterMark: 0 },
  );
}

/** Lets go of a body that nobody read, so that its sender stops. One that is being read is left alone. */
export function dropBody(message: Request): void {
  try {
    const taken = takeBody(message);
    if (taken.kind === 'source') taken.source.cancel();
  } catch {
    // Read already, or locked: it has an owner.
  }
}

function takeBody(message: Request | Response): TakenBody {
  const take: unknown = Reflect.get(message, TAKE);
  if (typeof take === 'function') return Reflect.apply(take, message, []);
  if (message.bodyUsed) throw new TypeError('The body has been read already; use clone() before the first read.');
  if (message.body === null) return { kind: 'none' };
  const reader: ReadableStreamDefaultReader<Uint8Array> = message.body.getReader();
  return {
    kind: 'source',
    source: {
      read: async () => (await reader.read()).value,
      cancel: () => void reader.cancel().catch(() => {}),
    },
  };
}

/** The text whose UTF-8 is exactly these bytes, or undefined. */
function decodeExactly(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function onePiece(bytes: Uint8Array): ByteSource {
  let rest: Uint8Array | undefined = bytes;
  return {
    read() {
      const piece = rest;
      rest = undefined;
      return Promise.resolve(piece);
    },
    cancel() {
      rest = undefined;
    },
  };
}

function piecesOf(text: string): ByteSource {
  const encoder = new TextEncoder();
  let offset = 0;
  return {
    read() {
      if (offset >= text.length) return Promise.resolve(undefined);
      let end = Math.min(text.length, offset + CHUNK_CHARACTERS);
      // Both halves of a surrogate pair stay in one piece.
      const last = text.charCodeAt(end - 1);
      if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
      const piece = encoder.encode(text.slice(offset, end));
      offset = end;
      return Promise.resolve(piece);
    },
    cancel() {
      offset = text.length;
    },
  };
}
