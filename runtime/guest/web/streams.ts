/** The streams of web-streams-polyfill, and the two text transforms that it leaves out. */
import { TransformStream } from 'web-streams-polyfill';
import { TextDecoder } from './encoding.ts';
import { utf8Encode } from './utf8.ts';

export {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from 'web-streams-polyfill';

export class TextEncoderStream {
  #pending = '';
  readonly #transform = new TransformStream<string, Uint8Array>({
    transform: (chunk, controller) => {
      const text = this.#pending + chunk;
      // A surrogate pair may be cut in two by the chunks: its first half waits for the second.
      const last = text.charCodeAt(text.length - 1);
      const cut = last >= 0xd800 && last <= 0xdbff ? text.length - 1 : text.length;
      this.#pending = text.slice(cut);
      if (cut > 0) controller.enqueue(utf8Encode(text.slice(0, cut)));
    },
    flush: (controller) => {
      if (this.#pending !== '') controller.enqueue(utf8Encode(this.#pending));
    },
  });
  readonly readable = this.#transform.readable;
  readonly writable = this.#transform.writable;
  readonly encoding = 'utf-8';
}

export class TextDecoderStream {
  readonly #decoder: TextDecoder;
  readonly #transform = new TransformStream<ArrayBuffer | ArrayBufferView, string>({
    transform: (chunk, controller) => {
      const text = this.#decoder.decode(chunk, { stream: true });
      if (text !== '') controller.enqueue(text);
    },
    flush: (controller) => {
      const text = this.#decoder.decode();
      if (text !== '') controller.enqueue(text);
    },
  });
  readonly readable = this.#transform.readable;
  readonly writable = this.#transform.writable;

  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }) {
    this.#decoder = new TextDecoder(label, options);
  }

  get encoding(): string {
    return this.#decoder.encoding;
  }

  get fatal(): boolean {
    return this.#decoder.fatal;
  }

  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }
}
