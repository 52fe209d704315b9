/**
 * The body of a Request or a Response, https://fetch.spec.whatwg.org/#body-mixin. It stays what it was made of (text,
 * bytes, or a source of the bridge) for as long as it can: a stream is made only for who asks for one.
 */
import {
  type BodyContent,
  type ByteSource,
  extractBody,
  type ReadableStream,
  readAll,
  sourceOf,
  streamOf,
} from './body-content.ts';
import type { Headers } from './headers.ts';
import * as lazy from './lazy.ts';
import { utf8Decode } from './utf8.ts';

/** Takes the body for the bridge, without a stream where none is needed. Known to sdk/module/web-bridge.ts. */
const TAKE = Symbol.for('plexichat.web.take-body');

export abstract class Body {
  abstract get headers(): Headers;
  #content: BodyContent;
  #used = false;
  #stream: ReadableStream | undefined;

  constructor(content: BodyContent) {
    this.#content = content;
    if (content.kind === 'stream') this.#stream = content.stream;
  }

  get body(): ReadableStream | null {
    if (this.#content.kind === 'none') return null;
    this.#stream ??= streamOf(this.#used ? { kind: 'text', text: '' } : this.#content);
    return this.#stream;
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#stream !== undefined && isDisturbed(this.#stream));
  }

  async text(): Promise<string> {
    const content = this.#take();
    if (content.kind !== 'text') return utf8Decode(await readAll(content));
    const { text } = content;
    return (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text).toWellFormed();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await readAll(this.#take()));
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(await readAll(this.#take())).buffer;
  }

  async blob() {
    const bytes = await readAll(this.#take());
    return new (lazy.blob().Blob)([bytes], { type: this.headers.get('content-type') ?? '' });
  }

  async formData() {
    const type = this.headers.get('content-type') ?? '';
    const essence = type.split(';', 1)[0]?.trim().toLowerCase();
    if (essence === 'multipart/form-data') {
      return lazy.multipart().decodeMultipart(await readAll(this.#take()), type);
    }
    if (essence !== 'application/x-www-form-urlencoded') {
      throw new TypeError(`formData: the content type is ${type === '' ? 'missing' : type}, not that of a form.`);
    }
    const form = new (lazy.formData().FormData)();
    for (const [name, value] of new (lazy.url().URLSearchParams)(await this.text())) form.append(name, value);
    return form;
  }

  [TAKE](): Exclude<BodyContent, { kind: 'stream' }> {
    const content = this.#take();
    return content.kind === 'stream' ? { kind: 'source', source: sourceOf(content.stream) } : content;
  }

  /** The same body twice: this object keeps one, the caller gets the other. */
  protected copyBody(): BodyContent {
    this.#assertUsable();
    if (this.#stream === undefined && this.#content.kind !== 'source') return this.#content;
    const [kept, given] = streamOf(
      this.#stream === undefined ? this.#content : { kind: 'stream', stream: this.#stream },
    ).tee();
    this.#stream = kept;
    this.#content = { kind: 'stream', stream: kept };
    return { kind: 'stream', stream: given };
  }

  protected hasBody(): boolean {
    return this.#content.kind !== 'none';
  }

  /** Hands the body over, as `new Request(request)` does. */
  protected moveBody(): BodyContent {
    return this.#take();
  }

  #take(): BodyContent {
    if (this.#content.kind === 'none') return this.#content;
    this.#assertUsable();
    const content: BodyContent = this.#stream === undefined ? this.#content : { kind: 'stream', stream: this.#stream };
    this.#used = true;
    // What was read is let go: a handler may keep the object for long.
    if (this.#stream === undefined) this.#content = { kind: 'text', text: '' };
    return content;
  }

  #assertUsable(): void {
    if (this.bodyUsed)
      throw new TypeError('Body is unusable: it has been read already. Use clone() before the first read.');
    if (this.#stream?.locked) throw new TypeError('Body is unusable: its stream is locked to a reader.');
  }
}

export type { BodyContent, ByteSource };
export { extractBody };

function isDisturbed(stream: ReadableStream): boolean {
  // web-streams-polyfill keeps the standard's [[disturbed]] slot under this name.
  return Reflect.get(stream, '_disturbed') === true;
}
