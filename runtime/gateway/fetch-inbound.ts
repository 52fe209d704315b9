/** A request without a socket: `app.request()` in tests, and any other Fetch-shaped caller. */
import type { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Inbound, InboundHeaders } from '../invocation/inbound.ts';
import { tooLarge } from '../policy/body-limit.ts';
import { clientAddress } from './client-address.ts';
import { requestIdOf } from './request-id.ts';

export class FetchInbound implements Inbound {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly origin: string;
  readonly headers: InboundHeaders;
  readonly address: string;
  readonly requestId: string;
  readonly #request: Request;

  constructor(request: Request, trustedProxies: number) {
    const url = new URL(request.url);
    this.method = request.method;
    this.path = url.pathname;
    this.search = url.search.slice(1);
    this.origin = url.origin;
    this.headers = Object.fromEntries(request.headers);
    this.address = clientAddress('127.0.0.1', this.headers, trustedProxies);
    this.requestId = requestIdOf(request.headers.get('x-request-id') ?? undefined);
    this.#request = request;
  }

  get hasBody(): boolean {
    return this.#request.body !== null;
  }

  get bodyLength(): number | undefined {
    const length = this.#request.headers.get('content-length');
    return length === null ? undefined : Number(length);
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  async readBody(limitBytes: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.streamBody(limitBytes, () => {})) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  streamBody(limitBytes: number, onTooLarge: (error: PlexiError) => void): ReadableStream<Uint8Array> {
    let bytes = 0;
    const source: ReadableStream<Uint8Array> = this.#request.body ?? new Blob().stream();
    return source.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          bytes += chunk.byteLength;
          if (bytes <= limitBytes) {
            controller.enqueue(chunk);
            return;
          }
          const error = tooLarge(limitBytes);
          controller.error(error);
          onTooLarge(error);
        },
      }),
    );
  }
}
