/** The listening socket, with everything a slow, large or rude client can do to it bounded. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Hono } from 'hono';
import { Connections } from './connections.ts';
import type { GatewayEnv } from './env.ts';
import { answerRequests } from './listener.ts';
import { refuseBytes, refuseConnect } from './refuse-connection.ts';
import { cutSlowReaders } from './slow-readers.ts';

export interface SocketLimits {
  readonly maxHeaderBytes?: number;
  readonly headersTimeoutMs?: number;
  /** For a whole request, body included. */
  readonly requestTimeoutMs?: number;
  readonly keepAliveTimeoutMs?: number;
  /** How long a client may take nothing at all of an answer. */
  readonly readTimeoutMs?: number;
  /** A client that takes its answers more slowly than that, over a longer time, is cut. */
  readonly minReadBytesPerSecond?: number;
  /** How often the deadlines above are looked at. */
  readonly timeoutCheckMs?: number;
  readonly maxRequestsPerSocket?: number;
  /** Requests of one connection that may wait for their answers (pipelining). */
  readonly maxWaitingPerSocket?: number;
  readonly maxConnections?: number;
  /** Of one client: an IPv4 address, or an IPv6 /64. */
  readonly maxConnectionsPerAddress?: number;
  /** A client that was told to stop may send on what nobody reads: until it pauses for so long, */
  readonly lingerPauseMs?: number;
  /** and for so long in all. */
  readonly lingerMs?: number;
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
  const server = createLimitedServer(limits);
  const tell = oncePerSecond(onError);
  const connections = createConnections(server, limits, tell);
  answerRequests(server, app, connections);
  server.on('clientError', (error, socket) => refuseBytes(error, socket, connections));
  server.on('connect', ({ socket }: IncomingMessage) => refuseConnect(socket, connections));
  await listen(server, host, port);
  // An error that nobody listens to would end the host.
  server.on('error', tell);
  const stopCutting = cutSlowReaders(() => connections.sockets, {
    patienceMs: limits.readTimeoutMs ?? READ_TIMEOUT_MS,
    bytesPerSecond: limits.minReadBytesPerSecond ?? 4096,
    checkMs: limits.timeoutCheckMs ?? CHECK_MS,
  });
  const { port: taken } = server.address() as AddressInfo;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shownHost}:${taken}`,
    port: taken,
    close: () => closeServer(server, limits.closeTimeoutMs ?? 10_000).finally(stopCutting),
  };
}

const CHECK_MS = 5000;
const READ_TIMEOUT_MS = 30_000;

function createLimitedServer(limits: SocketLimits): Server {
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes ?? 16 * 1024,
    headersTimeout: limits.headersTimeoutMs ?? 15_000,
    requestTimeout: limits.requestTimeoutMs ?? 300_000,
    keepAliveTimeout: limits.keepAliveTimeoutMs ?? 5000,
    connectionsCheckingInterval: limits.timeoutCheckMs ?? CHECK_MS,
    noDelay: true,
    // Whatever the options of the process say.
    insecureHTTPParser: false,
    // Ours to check: Node would refuse it without a word.
    requireHostHeader: false,
  });
  // Above its count Node would drop headers and serve what is left.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.maxConnections ?? 10_000;
  server.timeout = limits.readTimeoutMs ?? READ_TIMEOUT_MS;
  return server;
}

function createConnections(server: Server, limits: SocketLimits, tell: (error: Error) => void): Connections {
  const { maxConnectionsPerAddress: perAddress = 1000 } = limits;
  const connections = new Connections({
    perAddress,
    waiting: limits.maxWaitingPerSocket ?? 32,
    requests: limits.maxRequestsPerSocket ?? 10_000,
    lingerPauseMs: limits.lingerPauseMs ?? 5000,
    lingerMs: limits.lingerMs ?? 30_000,
  });
  server.on('connection', (socket) => {
    const { remoteAddress } = socket;
    if (connections.accept(socket)) return;
    tell(new Error(`${remoteAddress} has ${perAddress} connections, which is the limit of one address.`));
  });
  server.on('drop', () => tell(new Error(`There are ${server.maxConnections} connections, which is the limit.`)));
  // With a listener Node leaves the decision to it. Without progress for that long: idle, or a client that does not read.
  server.on('timeout', (socket) => {
    if (connections.waiting(socket).length === 0 || socket.writableLength > 0) socket.destroy();
  });
  return connections;
}

function oncePerSecond(tell: (error: Error) => void): (error: Error) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (performance.now() - toldAt < 1000) return;
    toldAt = performance.now();
    tell(error);
  };
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
