/** A request that came over a socket. Reads Node's own objects: cheaper than their Fetch twins, and nothing normalised. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Inbound, InboundHeaders } from '../invocation/inbound.ts';
import { tooLarge } from '../policy/body-limit.ts';
import { clientAddress } from './client-address.ts';
import { requestIdOf } from './request-id.ts';

const BUFFERED_UPLOAD_BYTES = 64 * 1024;

/** How long a client may take to send what it announced. */
export interface BodyTimes {
  /** Without a byte, while somebody reads. */
  readonly stallMs: number;
  /** For a body that is held in memory, from its first read to its end. */
  readonly totalMs: number;
}

export const BODY_TIMES: BodyTimes = { stallMs: 15_000, totalMs: 30_000 };

export interface NodeInboundOptions {
  readonly trustedProxies: number;
  readonly times: BodyTimes;
}

export class NodeInbound implements Inbound {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly headers: InboundHeaders;
  readonly requestId: string;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #request: Request;
  readonly #options: NodeInboundOptions;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, request: Request, options: NodeInboundOptions) {
    const url = incoming.url ?? '/';
    const target = url.startsWith('/') ? url : pathOfAbsolute(url);
    const split = target.indexOf('?');
    this.method = incoming.method ?? 'GET';
    this.path = split === -1 ? target : target.slice(0, split);
    this.search = split === -1 ? '' : target.slice(split + 1);
    this.headers = incoming.headers;
    const presentedId = incoming.headers['x-request-id'];
    this.requestId = requestIdOf(typeof presentedId === 'string' ? presentedId : undefined);
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#request = request;
    this.#options = options;
  }

  get origin(): string {
    const scheme = 'encrypted' in this.#incoming.socket ? 'https' : 'http';
    return `${scheme}://${this.#incoming.headers.host?.toLowerCase() ?? 'localhost'}`;
  }

  get address(): string {
    return clientAddress(this.#incoming.socket.remoteAddress, this.headers, this.#options.trustedProxies);
  }

  get hasBody(): boolean {
    if (this.method === 'GET' || this.method === 'HEAD') return false;
    return this.headers['content-length'] !== undefined || this.headers['transfer-encoding'] !== undefined;
  }

  get bodyLength(): number | undefined {
    const length = this.#incoming.headers['content-length'];
    return length === undefined ? undefined : Number(length);
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  readBody(limitBytes: number): Promise<Buffer> {
    const incoming = this.#start();
    const { stallMs, totalMs } = this.#options.times;
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const settle = (error?: unknown) => {
        clearTimeout(stall);
        clearTimeout(total);
        incoming.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
        if (error === undefined) resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
        else reject(error);
      };
      const onLate = () => settle(tooSlow());
      const stall = setTimeout(onLate, stallMs);
      const total = setTimeout(onLate, totalMs);
      const onData = (chunk: Buffer) => {
        stall.refresh();
        bytes += chunk.length;
        if (bytes <= limitBytes) chunks.push(chunk);
        else settle(tooLarge(limitBytes));
      };
      const onEnd = () => settle();
      const onClose = () => settle(clientGone());
      incoming.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
    });
  }

  streamBody(limitBytes: number, onRefused: (error: PlexiError) => void): ReadableStream<Uint8Array> {
    const incoming = this.#incoming;
    const outgoing = this.#outgoing;
    const { stallMs } = this.#options.times;
    let bytes = 0;
    let stop = () => {};
    let stall: NodeJS.Timeout | undefined;
    let waitForClient = () => {};
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const onStall = () => {
            const error = tooSlow();
            breakOff(error);
            onRefused(error);
          };
          // Runs only while somebody waits for the client: what waits for the module is not the client's fault.
          waitForClient = () => {
            clearTimeout(stall);
            stall = setTimeout(onStall, stallMs);
          };
          const onData = (chunk: Buffer) => {
            clearTimeout(stall);
            bytes += chunk.length;
            if (bytes > limitBytes) {
              const error = tooLarge(limitBytes);
              breakOff(error);
              onRefused(error);
              return;
            }
            controller.enqueue(chunk);
            if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
            else waitForClient();
          };
          const onEnd = () => {
            stop();
            controller.close();
          };
          const breakOff = (error: PlexiError) => {
            stop();
            controller.error(error);
          };
          const onClose = () => breakOff(clientGone());
          stop = () => {
            clearTimeout(stall);
            waitForClient = () => {};
            incoming.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
            outgoing.off('close', onClose);
          };
          incoming.pause();
          incoming.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
          // Node tells a request nothing any more once its answer is complete.
          outgoing.on('close', onClose);
        },
        pull: () => {
          this.#start().resume();
          waitForClient();
        },
        cancel: () => stop(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: BUFFERED_UPLOAD_BYTES }),
    );
  }

  /** A client that waits for "100 Continue" is told to go on only now that somebody wants the body. */
  #start(): IncomingMessage {
    const { headers, httpVersionMinor } = this.#incoming;
    // RFC 9110, 10.1.1: HTTP/1.0 knows no such answer.
    if (headers.expect !== undefined && httpVersionMinor > 0 && !this.#incoming.readableDidRead)
      this.#outgoing.writeContinue();
    return this.#incoming;
  }
}

/** `GET http://host/path HTTP/1.1`, as proxies write it. */
function pathOfAbsolute(url: string): string {
  const path = /^https?:\/\/[^/?#]*(\/.*)$/i.exec(url)?.[1];
  return path ?? '/';
}

/** The rest of the body would stand in the way of the next request: the connection ends with the answer. */
function tooSlow(): PlexiError {
  return new PlexiError('MALFORMED_BODY', 'The body did not arrive in time.', { headers: { connection: 'close' } });
}

function clientGone(): PlexiError {
  return new PlexiError('CLIENT_CLOSED', 'The connection ended before the body was complete.');
}
