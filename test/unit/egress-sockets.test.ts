/** Which connection is closed for another one, and who waits. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Resolver } from '../../runtime/capabilities/address.ts';
import { EgressAgents } from '../../runtime/capabilities/egress-agents.ts';
import type { SocketLimits } from '../../runtime/capabilities/egress-sockets.ts';
import { readTarget } from '../../runtime/capabilities/egress-target.ts';
import { until } from '../support/until.ts';

const servers: Server[] = [];
const opened: EgressAgents[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((agents) => agents.close()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Hosts that note who comes and goes, and answer at once, or when the test says so. */
async function upstream() {
  const gone: string[] = [];
  const held: (() => void)[] = [];
  const server = createServer(({ url, socket, headers }, response) => {
    const host = String(headers.host).split('.')[0] ?? '';
    if (socket.listenerCount('close', leave) === 0) socket.on('close', leave);
    function leave() {
      if (!gone.includes(host)) gone.push(host);
    }
    response.setHeader('keep-alive', 'timeout=700');
    if (url === '/held') held.push(() => void response.end('now'));
    else response.end('ok');
  });
  server.keepAliveTimeout = 0;
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, gone, held };
}

const loopback: Resolver = async () => [{ address: '127.0.0.1', family: 4 }];

function modulesOf(limits: SocketLimits, port: number, timeoutMs = 30_000, resolver = loopback) {
  const agents = new EgressAgents({
    resolver,
    nameServers: undefined,
    mayBePrivate: () => true,
    ownAddresses: undefined,
    timeoutMs,
    limits,
    keepAliveMs: 600_000,
  });
  opened.push(agents);
  return (module: string) => {
    const agentFor = agents.open(module, new AbortController().signal);
    return async (host: string, path = '/', signal?: AbortSignal) => {
      const name = `${host}.test`;
      const grant = { capability: 'http', host: name, port } as const;
      const target = readTarget(`http://${name}:${port}${path}`, [grant], new Set([`${name}:${port}`]));
      const { origin } = target.url;
      const { body } = await agentFor(target).request({ origin, path, method: 'GET', signal: signal ?? null });
      return body.text();
    };
  };
}

it('of a module that has all that it may have, the one that is idle longest goes', async () => {
  const { port, gone } = await upstream();
  const ask = modulesOf({ ofModule: 3, inAll: 10, ofEveryModule: 0, waiting: 10 }, port)('m');
  for (const host of ['a', 'b', 'c', 'a', 'd', 'e']) expect(await ask(host)).toBe('ok');
  await until(() => gone.length >= 2);
  expect(gone).toEqual(['b', 'c']);
});

it('of all modules, the one that is idle longest goes, when there are too many in all', async () => {
  const { port, gone } = await upstream();
  const open = modulesOf({ ofModule: 3, inAll: 4, ofEveryModule: 0, waiting: 10 }, port);
  const [one, two] = [open('one'), open('two')];
  for (const host of ['a', 'b']) await one(host);
  for (const host of ['c', 'd', 'e']) await two(host);
  await until(() => gone.length >= 1);
  expect(gone).toEqual(['a']);
});

it('a module has its few, though the others have taken all that there are', async () => {
  const { port, held } = await upstream();
  const open = modulesOf({ ofModule: 3, inAll: 3, ofEveryModule: 2, waiting: 10 }, port);
  const [greedy, good] = [open('greedy'), open('good')];
  const held3 = ['a', 'b', 'c'].map((host) => greedy(host, '/held'));
  await until(() => held.length === 3);
  expect(await Promise.all([good('d'), good('e')])).toEqual(['ok', 'ok']);
  for (const answer of held) answer();
  await Promise.all(held3);
});

it('who waits gets one when it closes or comes to rest, in the order of coming', async () => {
  const { port, held } = await upstream();
  const ask = modulesOf({ ofModule: 1, inAll: 1, ofEveryModule: 0, waiting: 10 }, port)('m');
  const done: string[] = [];
  const note = (host: string, path?: string) => ask(host, path).then(() => done.push(host));
  const all = [note('a', '/held')];
  await until(() => held.length === 1);
  for (const host of ['b', 'c', 'd']) all.push(note(host));
  expect(done).toEqual([]);
  held[0]?.();
  await Promise.all(all);
  expect(done).toEqual(['a', 'b', 'c', 'd']);
});

it('who waits too long, or with too many others, is refused', async () => {
  const { port, held } = await upstream();
  const ask = modulesOf({ ofModule: 1, inAll: 1, ofEveryModule: 0, waiting: 1 }, port, 300)('m');
  const first = ask('a', '/held');
  await until(() => held.length === 1);
  const waiting = ask('b');
  await expect(ask('c')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  await expect(waiting).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  held[0]?.();
  await first.catch(() => {});
  expect(await ask('d')).toBe('ok');
});

/** More than undici is allowed to know of at once. */
const MANY_HOSTS = 300;

it('hosts that cannot be reached take no place for good', async () => {
  const ask = modulesOf({ ofModule: 2, inAll: 2, ofEveryModule: 0, waiting: 10 }, 1)('m');
  for (let index = 0; index < MANY_HOSTS; index++)
    await expect(ask(`a${index}`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it('requests that are given up while a connection is made take no place for good', async () => {
  const { port } = await upstream();
  let attempt = Promise.withResolvers<never>();
  const slow: Resolver = (host) => (host.startsWith('good') ? loopback(host) : attempt.promise);
  const ask = modulesOf({ ofModule: 2, inAll: 2, ofEveryModule: 0, waiting: 10 }, port, 30_000, slow)('m');
  for (let index = 0; index < MANY_HOSTS; index++) {
    attempt = Promise.withResolvers<never>();
    const abort = new AbortController();
    const asking = ask(`a${index}`, '/', abort.signal);
    abort.abort();
    attempt.reject(new Error('There is no such name.'));
    await expect(asking).rejects.toThrow();
  }
  expect(await ask('good')).toBe('ok');
});
