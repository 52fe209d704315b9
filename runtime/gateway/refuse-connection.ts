/** Connections on which Node found no request to answer: bytes that are no HTTP, bytes that do not come, tunnels. */

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Connections } from './connections.ts';
import { malformed } from './plain-request.ts';
import { rawProblem } from './problem.ts';
import { requestIdOf } from './request-id.ts';

export function refuseBytes(error: NodeJS.ErrnoException, stream: Duplex, connections: Connections): void {
  // What comes after the last answer is thrown away, whatever it is.
  if (stream instanceof Socket && connections.isEnding(stream)) return;
  if (!(stream instanceof Socket) || !stream.writable || error.code === 'ECONNRESET') {
    stream.destroy();
    return;
  }
  const owed = connections.waiting(stream);
  const newest = owed.at(-1);
  if (newest === undefined || (owed.length === 1 && !newest.req.complete && !newest.headersSent)) {
    refuse(stream, problemOf(error), connections);
    return;
  }
  // Boundary: never in the middle of an answer, nor as the answer to another request than the broken one.
  if (newest.req.complete) connections.endAfter(newest);
  else stream.destroy();
}

/** Nobody gets a tunnel through the host. */
export function refuseConnect(socket: Socket, connections: Connections): void {
  if (connections.waiting(socket).length > 0) {
    socket.destroy();
    return;
  }
  // Node took its own listeners off.
  socket.on('error', () => socket.destroy());
  const message = 'CONNECT is not allowed here: the host is no proxy.';
  const allow = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
  refuse(socket, new PlexiError('METHOD_NOT_ALLOWED', message, { headers: { allow } }), connections);
}

function refuse(socket: Socket, problem: PlexiError, connections: Connections): void {
  socket.write(rawProblem(problem, { requestId: requestIdOf(undefined), instance: '/' }));
  connections.close(socket);
}

function problemOf({ code }: NodeJS.ErrnoException): PlexiError {
  if (code === 'HPE_HEADER_OVERFLOW') return malformed('The headers are too large.', 431);
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return malformed('The chunk extensions are too large.', 413);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return malformed('The request took too long to arrive.', 408);
  return malformed('This is not an HTTP request.');
}
