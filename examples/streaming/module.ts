import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { BaseModule, type EndpointContext, HttpError, moduleEndpoint, Type } from '@plexichat/sdk';
import { letters } from './letters.ts';
import { ticks } from './ticks.ts';

const TicksSchema = Type.Object({
  count: Type.Integer({ minimum: 1, maximum: 3600, default: 5 }),
  interval: Type.Integer({ minimum: 10, maximum: 60_000, default: 1000, description: 'Milliseconds' }),
});

const DownloadSchema = Type.Object({
  size: Type.Integer({ minimum: 1, maximum: 1_000_000_000, default: 1_000_000, description: 'Bytes' }),
});

export default class StreamingModule extends BaseModule {
  /** What is under way right now, and what all downloads together have sent. */
  #open = { ticks: 0, downloads: 0, sentBytes: 0 };

  @moduleEndpoint('GET /open', { permissions: ['read'] })
  getOpen() {
    return this.#open;
  }

  @moduleEndpoint('GET /ticks', { permissions: ['read'], query: TicksSchema })
  getTicks({ query }: EndpointContext<{ query: typeof TicksSchema }>) {
    this.#open.ticks += 1;
    const events = ticks(query.count, query.interval, () => {
      this.#open.ticks -= 1;
    });
    return new Response(events, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } });
  }

  @moduleEndpoint('GET /download', { permissions: ['read'], query: DownloadSchema })
  download({ query }: EndpointContext<{ query: typeof DownloadSchema }>) {
    this.#open.downloads += 1;
    const bytes = letters(query.size, {
      onSent: (sent) => {
        this.#open.sentBytes += sent;
      },
      onEnd: () => {
        this.#open.downloads -= 1;
      },
    });
    return new Response(bytes, {
      headers: {
        'content-type': 'application/octet-stream',
        'content-disposition': 'attachment; filename="letters.txt"',
      },
    });
  }

  /** crypto.subtle.digest wants all bytes at once; this hash takes them as they come, so size costs no memory. */
  @moduleEndpoint('POST /upload', { permissions: ['write'] })
  async upload({ request, signal }: EndpointContext) {
    if (request.body === null) throw new HttpError(400, 'Send a file as the body of the request');
    const hash = sha256.create();
    let size = 0;
    for await (const chunk of request.body) {
      // The client went away, or the deadline passed: nobody waits for the answer any more.
      signal.throwIfAborted();
      hash.update(chunk);
      size += chunk.byteLength;
    }
    return { size, sha256: bytesToHex(hash.digest()) };
  }
}
