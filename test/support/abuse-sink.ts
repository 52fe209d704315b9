/** A server out in the world that hostile modules are granted: `/` answers at once, `/silent` takes no byte and never answers. */
import { once } from 'node:events';
import { createServer } from 'node:http';
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
  take(): SinkTally;
  close(): Promise<void>;
}

export async function openSink(): Promise<AbuseSink> {
  let requests = 0;
  let requestsAtOnce = 0;
  let open = 0;
  const server = createServer((request, response) => {
    requests += 1;
    open += 1;
    requestsAtOnce = Math.max(requestsAtOnce, open);
    response.once('close', () => {
      open -= 1;
    });
    if (request.url === '/silent') return;
    request.resume();
    response.writeHead(200, { 'content-type': 'text/plain' }).end('taken');
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return {
    place: `localhost:${(server.address() as AddressInfo).port}`,
    take() {
      const taken = { requests, requestsAtOnce };
      requests = 0;
      requestsAtOnce = open;
      return taken;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
