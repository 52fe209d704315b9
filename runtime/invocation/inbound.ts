import type { PlexiError } from '@plexichat/sdk/protocol/errors';

/** A request as the pipeline sees it; where it came from (a socket, a test) is the door's business. */
export interface Inbound {
  readonly method: string;
  /** As the client wrote it, before the `?`. */
  readonly path: string;
  /** After the `?`, without it. */
  readonly search: string;
  /** `http://host:port` */
  readonly origin: string;
  /** Lower-case names. */
  readonly headers: InboundHeaders;
  readonly address: string;
  readonly requestId: string;
  readonly hasBody: boolean;
  /** What Content-Length says; undefined for chunked bodies. */
  readonly bodyLength: number | undefined;
  /** @throws PlexiError PAYLOAD_TOO_LARGE, CLIENT_CLOSED, MALFORMED_BODY when it does not arrive in time */
  readBody(limitBytes: number): Promise<Buffer>;
  /** Pulled by its reader; when it grows too large or stops arriving it errors, and tells at once. */
  streamBody(limitBytes: number, onRefused: (error: PlexiError) => void): ReadableStream<Uint8Array>;
  /** Fires when the client goes away; made on first use. */
  readonly signal: AbortSignal | undefined;
}

export type InboundHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export function headerOf(headers: InboundHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.join(', ');
}
