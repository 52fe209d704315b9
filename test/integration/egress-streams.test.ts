/** Bodies of a module's requests and answers in pieces, with a slow reader on either side: nobody holds more than a window. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WINDOW_BYTES } from '@plexichat/sdk/protocol/body-streams';
import type { HttpResponse } from '@plexichat/sdk/protocol/capabilities/http';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpEgress, type HttpEgress } from '../../runtime/capabilities/http.ts';
import { scriptGuest } from '../support/scripted-guest.ts';
import { until } from '../support/until.ts';

const servers: Server[] = [];
const egresses: HttpEgress[] = [];
afterEach(async () => {
  await Promise.all(egresses.splice(0).map((egress) => egress.close()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const CHUNK = 64 * 1024;
const MB = 1024 * 1024;

async function upstream(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const egress = createHttpEgress(
    {
      allowPrivate: new Set([`api.test:${port}`]),
      timeoutMs: 20_000,
      maxResponseBytes: 100 * MB,
      resolver: async () => [{ address: '127.0.0.1', family: 4 }],
    },
    { granted: () => [{ capability: 'http', host: 'api.test', port }], secret: () => undefined },
  );
  egresses.push(egress);
  const guest = scriptGuest();
  const methods = egress.capability({
    module: 'demo',
    session: () => guest.session,
    admitLine: () => true,
    signal: new AbortController().signal,
  });
  const fetch = (request: Record<string, unknown> = {}) =>
    methods.fetch?.({
      id: 1,
      method: 'GET',
      url: `http://api.test:${port}/`,
      headers: [],
      body: { kind: 'none' },
      ...request,
    }) as Promise<HttpResponse>;
  return { guest, fetch, cancel: () => methods.cancel?.(1) };
}

/** Whether a count has stopped growing: looked at over many turns, since nothing says that something will not happen. */
async function settled(count: () => number): Promise<number> {
  let last = -1;
  let quiet = 0;
  await until(() => {
    quiet = count() === last ? quiet + 1 : 0;
    last = count();
    return quiet >= 20;
  });
  return last;
}

describe('a download', () => {
  it('is read from the other side only as fast as the guest reads it', async () => {
    let written = 0;
    const total = 64 * MB;
    const { guest, fetch } = await upstream((_request, response) => {
      const write = (): void => {
        while (written < total) {
          written += CHUNK;
          if (!response.write(Buffer.alloc(CHUNK, 1))) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    });
    const { body } = await fetch();
    if (body.kind !== 'stream') throw new Error('not streamed');
    const received = (): number => guest.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    await until(() => received() > 0);
    const [before, sent] = [await settled(() => written), received()];
    // What the sockets of two processes' worth of kernel buffers hold, and far from all of it.
    expect(before).toBeLessThan(total / 2);
    expect(sent).toBeLessThanOrEqual(WINDOW_BYTES);
    let paid = 0;
    await until(() => {
      const bytes = received() - paid;
      if (bytes > 0) guest.say({ stream: body.stream, op: 'credit', bytes });
      paid += bytes;
      return guest.sent.some(({ stream, op }) => stream === body.stream && op === 'end');
    });
    expect(received()).toBe(total);
  });

  it('that the guest lets go of ends on the other side', async () => {
    let closed = false;
    const { guest, fetch } = await upstream((_request, response) => {
      response.write(Buffer.alloc(CHUNK));
      response.on('close', () => {
        closed = true;
      });
    });
    const { body } = await fetch();
    if (body.kind !== 'stream') throw new Error('not streamed');
    guest.say({ stream: body.stream, op: 'cancel' });
    await until(() => closed);
  });
});

describe('an upload', () => {
  it('is taken from the guest only as fast as the other side reads it', async () => {
    let request: IncomingMessage | undefined;
    let read = 0;
    const { guest, fetch } = await upstream((incoming, response) => {
      request = incoming;
      incoming.on('end', () => response.end(String(read)));
    });
    const answer = fetch({ method: 'PUT', body: { kind: 'stream', stream: 1 } });
    const credit = (): number =>
      guest.sent
        .filter(({ stream, op }) => stream === 1 && op === 'credit')
        .reduce((sum, { bytes = 0 }) => sum + bytes, WINDOW_BYTES);
    const total = 32 * MB;
    let sent = 0;
    // The guest sends what it was given credit for, as its kernel does.
    const send = (): void => {
      while (sent < total && sent + CHUNK <= credit()) {
        guest.sayText('[{"stream":1,"op":"chunk"}]', [Buffer.alloc(CHUNK, 2)]);
        sent += CHUNK;
      }
    };
    await until(() => {
      send();
      return request !== undefined && sent > 0;
    });
    const stopped = await settled(() => {
      send();
      return sent;
    });
    expect(stopped).toBeLessThan(total / 2);
    request?.on('data', (chunk: Buffer) => {
      read += chunk.byteLength;
    });
    await until(() => {
      send();
      return sent === total;
    });
    guest.say({ stream: 1, op: 'end' });
    expect((await answer).status).toBe(200);
    expect(read).toBe(total);
    expect(guest.floods).toEqual([]);
  });

  it('that the other side refuses in the middle is answered, and the guest is told to stop', async () => {
    const { guest, fetch } = await upstream((incoming, response) => {
      incoming.once('data', () => response.writeHead(413, { connection: 'close' }).end('too large'));
    });
    const answer = fetch({ method: 'PUT', body: { kind: 'stream', stream: 1 } });
    guest.sayText('[{"stream":1,"op":"chunk"}]', [Buffer.alloc(CHUNK)]);
    expect((await answer).status).toBe(413);
  });
});
