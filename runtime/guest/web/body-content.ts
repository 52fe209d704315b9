/** What a body can be made of, and how it is read. */
import { toBytes } from './encoding.ts';
import * as lazy from './lazy.ts';
import { utf8Encode } from './utf8.ts';

export type ReadableStream = InstanceType<ReturnType<typeof lazy.streams>['ReadableStream']>;

/** The bridge's way to read: see sdk/protocol/body-streams.ts. */
export interface ByteSource {
  read(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

export type BodyContent =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'source'; readonly source: ByteSource }
  | { readonly kind: 'stream'; readonly stream: ReadableStream };

/** An object that stands for a source of the bridge, as a body. */
const SOURCE = Symbol.for('plexichat.web.byte-source');
const MAX_BYTES = 256 * 1024 * 1024;

/** https://fetch.spec.whatwg.org/#concept-bodyinit-extract */
export function extractBody(init: unknown): { content: BodyContent; type: string | undefined } {
  if (init === null || init === undefined) return { content: { kind: 'none' }, type: undefined };
  if (typeof init !== 'object') {
    return { content: { kind: 'text', text: `${init as string}` }, type: 'text/plain;charset=UTF-8' };
  }
  if (SOURCE in init)
    return { content: { kind: 'source', source: Reflect.get(init, SOURCE) as ByteSource }, type: undefined };
  if (init instanceof ArrayBuffer || ArrayBuffer.isView(init)) {
    return { content: { kind: 'bytes', bytes: new Uint8Array(toBytes(init)) }, type: undefined };
  }
  if (isStream(init)) {
    if (init.locked || Reflect.get(init, '_disturbed') === true) {
      throw new TypeError('A stream that is locked or has been read cannot become a body.');
    }
    return { content: { kind: 'stream', stream: init }, type: undefined };
  }
  return extractNamed(init);
}

/** Blob, FormData and URLSearchParams: asked by tag first, so that a plain value loads none of the three. */
function extractNamed(init: object): { content: BodyContent; type: string | undefined } {
  const tag = Object.prototype.toString.call(init).slice(8, -1);
  if (tag === 'Blob' || tag === 'File') {
    const { Blob, blobBytes } = lazy.blob();
    if (init instanceof Blob) {
      return { content: { kind: 'bytes', bytes: blobBytes(init) }, type: init.type === '' ? undefined : init.type };
    }
  }
  if (tag === 'FormData' && init instanceof lazy.formData().FormData) {
    const boundary = `----plexichat-${lazy.cryptography().crypto.randomUUID()}`;
    const bytes = lazy.multipart().encodeMultipart(init, boundary);
    return { content: { kind: 'bytes', bytes }, type: `multipart/form-data; boundary=${boundary}` };
  }
  if (tag === 'URLSearchParams') {
    return { content: { kind: 'text', text: `${init}` }, type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  }
  if (Symbol.asyncIterator in init) {
    const stream = lazy.streams().ReadableStream.from(init as AsyncIterable<Uint8Array>);
    return { content: { kind: 'stream', stream }, type: undefined };
  }
  return { content: { kind: 'text', text: `${init}` }, type: 'text/plain;charset=UTF-8' };
}

export async function readAll(content: BodyContent): Promise<Uint8Array> {
  if (content.kind === 'none') return new Uint8Array(0);
  if (content.kind === 'text') return utf8Encode(content.text);
  if (content.kind === 'bytes') return content.bytes;
  const source = content.kind === 'source' ? content.source : sourceOf(content.stream);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size <= MAX_BYTES) continue;
    source.cancel();
    throw new TypeError(`The body is larger than ${MAX_BYTES} bytes: read it as a stream.`);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : join(chunks, size);
}

export function streamOf(content: BodyContent): ReadableStream {
  if (content.kind === 'stream') return content.stream;
  const { ReadableStream } = lazy.streams();
  if (content.kind !== 'source') {
    return new ReadableStream({
      type: 'bytes',
      async start(controller) {
        const bytes = await readAll(content);
        if (bytes.byteLength > 0) controller.enqueue(new Uint8Array(bytes));
        controller.close();
      },
    });
  }
  const { source } = content;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await source.read();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: () => source.cancel(),
    },
    { highWaterMark: 0 },
  );
}

export function sourceOf(stream: ReadableStream): ByteSource {
  const reader = stream.getReader();
  return {
    async read() {
      const { done, value } = await reader.read();
      if (done) return undefined;
      // By tag: a chunk may be of another realm, as the bridge's are in tests.
      if (Object.prototype.toString.call(value) === '[object Uint8Array]') return value as Uint8Array;
      const failure = new TypeError('A body stream must give Uint8Array chunks; put a TextEncoderStream in between.');
      void reader.cancel(failure).catch(() => {});
      throw failure;
    },
    cancel() {
      void reader.cancel().catch(() => {});
    },
  };
}

function isStream(init: object): init is ReadableStream {
  return 'getReader' in init && typeof init.getReader === 'function';
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return all;
}
