/** From Node's requests to the app: refuses what is no plain request, and says which answer is the last of a connection. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { getRequestListener, RequestError } from '@hono/node-server';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Hono } from 'hono';
import type { Connections } from './connections.ts';
import type { GatewayEnv } from './env.ts';
import { malformed, requestProblem } from './plain-request.ts';
import { problemParts, problemResponse } from './problem.ts';
import { requestIdOf } from './request-id.ts';

export function answerRequests(server: Server, app: Hono<GatewayEnv>, connections: Connections): void {
  const respond = (request: Request, env: unknown): Response | Promise<Response> => {
    const bindings = env as Required<GatewayEnv['Bindings']>;
    const response = app.fetch(request, bindings);
    if (!announcesBody(bindings.incoming)) return response;
    return Promise.resolve(response).then((answer) =>
      bindings.incoming.complete ? answer : endUnread(bindings, connections).then(() => answer),
    );
  };
  const listener = getRequestListener(respond, { errorHandler: refuseTarget });
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const turn = connections.begin(incoming, outgoing);
    if (turn === 'ignore') return;
    const problem = turn === 'refuse' ? tooManyWaiting() : requestProblem(incoming);
    if (problem !== undefined) {
      refuse(problem, incoming, outgoing, connections);
      return;
    }
    // While closing, every answer is the last one on its connection. After `Upgrade` Node's parser reads no further.
    if (!server.listening || incoming.headers.upgrade !== undefined) connections.endWith(outgoing);
    // The listener settles every request itself; it never rejects.
    void listener(incoming, outgoing);
  };
  server.on('request', answer);
  // "100 Continue" is sent when somebody starts to read the body, so that a refusal costs no upload.
  server.on('checkContinue', answer);
  server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (connections.begin(incoming, outgoing) === 'ignore') return;
    refuse(malformed('Expect may only be 100-continue.', 417), incoming, outgoing, connections);
  });
}

/** Boundary: bytes of a body that nobody took must never be read as a request. */
async function endUnread(
  { incoming, outgoing }: Required<GatewayEnv['Bindings']>,
  connections: Connections,
): Promise<void> {
  // A refusal may be faster than the parser, which has the rest of the packet still before it.
  await new Promise((resolve) => setImmediate(resolve));
  if (!incoming.complete && !outgoing.headersSent) connections.endWith(outgoing);
}

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function refuse(
  problem: PlexiError,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  connections: Connections,
): void {
  const { status, headers, body } = problemParts(problem, { requestId: presentedId(incoming), instance: '/' });
  connections.endWith(outgoing);
  outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

function presentedId({ headers }: IncomingMessage): string {
  const presented = headers['x-request-id'];
  return requestIdOf(typeof presented === 'string' ? presented : undefined);
}

function tooManyWaiting(): PlexiError {
  return new PlexiError('HOST_SHEDDING', 'Too many requests of this connection wait for their answers.');
}

/** What the adapter cannot make a request of. */
function refuseTarget(error: unknown): Response {
  const problem = error instanceof RequestError ? malformed('The request target or the Host is not valid.') : error;
  return problemResponse(problem, { requestId: requestIdOf(undefined), instance: '/' });
}
