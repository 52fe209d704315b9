/** Upstreams that want to keep connections of the host open, for as long and as many as they like. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { HttpResponse } from '@plexichat/sdk/protocol/capabilities/http';
import { afterEach, expect, it } from 'vitest';
import { SOCKET_LIMITS } from '../../runtime/capabilities/egress-sockets.ts';
import { type EgressModule, type EgressWorld, egressWorld } from '../support/egress-world.ts';
import { until } from '../support/until.ts';

const { ofModule, inAll, ofEveryModule } = SOCKET_LIMITS;
const MODULES = ['m0', 'm1', 'm2', 'm3', 'm4', 'm5'];

let server: Server;
let port: number;
let world: EgressWorld;
/** In the order in which they came. */
const open = new Set<Socket>();
let most = 0;

async function start(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<void> {
  open.clear();
  most = 0;
  server = createServer(answer);
  server.keepAliveTimeout = 0;
  server.on('connection', (socket) => {
    open.add(socket);
    most = Math.max(most, open.size);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  const hosts = MODULES.flatMap((module) => Array.from({ length: 200 }, (_, index) => `${module}-${index}.evil.test`));
  world = egressWorld({
    grants: Object.fromEntries(MODULES.map((module) => [module, [`http:*.evil.test:${port}`]])),
    settings: {
      timeoutMs: 60_000,
      allowPrivate: new Set(hosts.map((host) => `${host}:${port}`)),
      resolver: async () => [{ address: '127.0.0.1', family: 4 }],
    },
  });
}
afterEach(async () => {
  await world.egress.close();
  server.closeAllConnections();
  server.close();
});

const keeping = (_request: IncomingMessage, response: ServerResponse) =>
  void response.writeHead(200, { 'keep-alive': 'timeout=700', 'content-length': 0 }).end();
const url = (module: string, index: number) => `http://${module}-${index}.evil.test:${port}/`;

async function visit(module: EgressModule, name: string, count: number): Promise<void> {
  for (let start = 0; start < count; start += 16) {
    const indices = Array.from({ length: Math.min(16, count - start) }, (_, index) => start + index);
    await Promise.all(
      indices.map(async (index) => {
        const answer = await module.fetch(url(name, index));
        expect(answer.status).toBe(200);
        module.drain(answer);
      }),
    );
  }
}

/** By two threads, as many as there may be, with bodies that do not end. */
async function occupy(first: EgressModule, second: EgressModule): Promise<HttpResponse[]> {
  const indices = Array.from({ length: ofModule }, (_, index) => index);
  return Promise.all(indices.map((index) => (index % 2 === 0 ? first : second).fetch(url('m0', index))));
}

it('a module has a bounded number of them, and goes on', async () => {
  await start(keeping);
  await visit(world.open('m0'), 'm0', 3 * ofModule);
  // To the server, those that are closing are there for a moment yet.
  expect(most).toBeLessThanOrEqual(ofModule + 16);
  expect(open.size).toBeGreaterThan(ofModule / 2);
});

it('all modules together have a bounded number, and each of them its few', async () => {
  await start(keeping);
  for (const name of MODULES) await visit(world.open(name), name, ofModule);
  expect(most).toBeLessThanOrEqual(inAll + MODULES.length * ofEveryModule + 16);
});

it('an upstream that wants 700 seconds gets four', async () => {
  await start(keeping);
  await visit(world.open('m0'), 'm0', 5);
  await until(() => open.size === 0, 15_000);
});

it('when all are busy, a request waits until one is free; other modules do not', async () => {
  await start((request, response) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('x');
    if (request.url === '/short') response.end('123456789');
  });
  const [busy, second, good] = [world.open('m0'), world.open('m0'), world.open('m1')];
  const [first] = await occupy(busy, second);
  let isAnswered = false;
  const late = busy.fetch(url('m0', 100)).then((answer) => {
    isAnswered = true;
    return answer;
  });
  expect((await good.fetch(`${url('m1', 0)}short`)).status).toBe(200);
  expect(isAnswered).toBe(false);
  expect(open.size).toBeLessThanOrEqual(ofModule + 16);
  if (first !== undefined) busy.cancel(first);
  expect((await late).status).toBe(200);
});

it('there is a bound on those that wait, with an error that says what to do', async () => {
  await start((_request, response) => void response.writeHead(200, { 'content-length': 10 }).write('x'));
  const [one, two, three] = [world.open('m0'), world.open('m0'), world.open('m0')];
  await occupy(one, two);
  for (let index = 0; index < SOCKET_LIMITS.waiting; index++) {
    const fetching = (index % 2 === 0 ? one : two).fetch(url('m0', ofModule + index));
    fetching.catch(() => {});
  }
  const refused = three.fetch(url('m0', 190));
  await expect(refused).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  await expect(refused).rejects.toThrow('read or cancel the bodies of earlier answers');
});
