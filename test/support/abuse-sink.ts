/** A server out in the world that hostile modules are granted. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SinkTally {
  /** That arrived since the last time. */
  readonly requests: number;
  /** The most that were open at the same time since then. */
  readonly requestsAtOnce: number;
}

export interface AbuseSink {
  /** `host:port`, as settings name it. */
  readonly place: string;
  /** Cuts off what is open. */
  take(): SinkTally;
  close(): Promise<void>;
}

const LARGE = Buffer.alloc(1024 * 1024);

export async function openSink(): Promise<AbuseSink> {
  const open = new Set<ServerResponse>();
  let requests = 0;
  let requestsAtOnce = 0;
  const server = createServer((request, response) => {
    requests += 1;
    open.add(response);
    requestsAtOnce = Math.max(requestsAtOnce, open.size);
    response.once('close', () => open.delete(response));
    answer(request, response);
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return {
    place: `localhost:${(server.address() as AddressInfo).port}`,
    take() {
      const taken = { requests, requestsAtOnce };
      requests = 0;
      requestsAtOnce = 0;
      for (const response of open) response.destroy();
      open.clear();
      return taken;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  // Takes no byte of a body, and never answers.
  if (request.url === '/silent') return;
  request.resume();
  response.end(request.url === '/large' ? LARGE : 'taken');
}
