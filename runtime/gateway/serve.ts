/** The listening socket, with everything a slow, large or rude client can do to it bounded. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Hono } from 'hono';
import type { GatewayEnv } from './env.ts';
import { problemResponse, rawProblem } from './problem.ts';
import { requestIdOf } from './request-id.ts';

export interface SocketLimits {
  readonly maxHeaderBytes?: number;
  readonly headersTimeoutMs?: number;
  /** For a whole request, body included. */
  readonly requestTimeoutMs?: number;
  readonly keepAliveTimeoutMs?: number;
  /** How often the two deadlines above are looked at. */
  readonly timeoutCheckMs?: number;
  readonly maxRequestsPerSocket?: number;
  readonly maxConnections?: number;
  /** How long `close` waits for answers that are under way. */
  readonly closeTimeoutMs?: number;
}

export interface ServeOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly limits?: SocketLimits;
  /** The socket has a problem while it listens, such as no file descriptor left; at most one call per second. */
  readonly onError?: (error: Error) => void;
}

export interface Serving {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** @throws Error that says what to do when the port is taken or not allowed */
export async function serveGateway(
  app: Hono<GatewayEnv>,
  { host, port, limits = {}, onError = () => {} }: ServeOptions,
): Promise<Serving> {
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes ?? 16 * 1024,
    headersTimeout: limits.headersTimeoutMs ?? 15_000,
    requestTimeout: limits.requestTimeoutMs ?? 300_000,
    keepAliveTimeout: limits.keepAliveTimeoutMs ?? 5000,
    connectionsCheckingInterval: limits.timeoutCheckMs ?? 5000,
    noDelay: true,
  });
  server.maxRequestsPerSocket = limits.maxRequestsPerSocket ?? 10_000;
  server.maxConnections = limits.maxConnections ?? 10_000;
  answerOn(server, app);
  await listen(server, host, port);
  // An error that nobody listens to would end the host.
  server.on('error', oncePerSecond(onError));
  const { port: taken } = server.address() as AddressInfo;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shownHost}:${taken}`,
    port: taken,
    close: () => closeServer(server, limits.closeTimeoutMs ?? 10_000),
  };
}

function oncePerSecond(tell: (error: Error) => void): (error: Error) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (performance.now() - toldAt < 1000) return;
    toldAt = performance.now();
    tell(error);
  };
}

function answerOn(server: Server, app: Hono<GatewayEnv>): void {
  const listener = getRequestListener((request, env) => app.fetch(request, env as GatewayEnv['Bindings']), {
    errorHandler: refuseRequest,
  });
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    // While closing, every answer is the last one on its connection.
    if (!server.listening) outgoing.shouldKeepAlive = false;
    // The listener settles every request itself; it never rejects.
    void listener(incoming, outgoing);
  };
  server.on('request', answer);
  // "100 Continue" is sent when somebody starts to read the body, so that a refusal costs no upload.
  server.on('checkContinue', answer);
  server.on('clientError', refuseConnection);
}

/** What the adapter cannot make a request of: a Host header or a target that is none. */
function refuseRequest(error: unknown): Response {
  const detail = error instanceof RequestError ? 'The request line or the Host header is not valid.' : 'internal';
  const problem = error instanceof RequestError ? new PlexiError('MALFORMED_BODY', detail) : error;
  return problemResponse(problem, { requestId: requestIdOf(undefined), instance: '/' });
}

function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  if (error.code === 'HPE_HEADER_OVERFLOW') socket.end(rawProblem(431, 'The headers are too large.'));
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    socket.end(rawProblem(408, 'The request took too long to arrive.'));
  else socket.end(rawProblem(400, 'This is not an HTTP request.'));
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => reject(listenError(error, host, port));
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

/** The address cannot be listened on; the message says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ListenError {
  const reasons: Record<string, string> = {
    EADDRINUSE: `Port ${port} on ${host} is in use; stop what uses it, or choose another one with --port.`,
    EACCES: `Port ${port} needs privileges that this process does not have; choose one above 1023 with --port.`,
    EADDRNOTAVAIL: `${host} is no address of this machine; choose another one with --host.`,
  };
  return new ListenError(reasons[error.code ?? ''] ?? `Cannot listen on ${host}:${port}: ${error.message}`, {
    cause: error,
  });
}

const CLOSE_CHECK_MS = 20;

/** Takes no new connection, lets answers under way finish, and cuts what is left at the deadline. */
function closeServer(server: Server, deadlineMs: number): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), CLOSE_CHECK_MS);
    const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
