/** Names whose servers are silent, asked for by one module, while another one and the host itself need names and threads. */
import { lookup } from 'node:dns/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type EgressWorld, egressWorld } from '../support/egress-world.ts';
import { type NameServer, startNameServer } from '../support/name-server.ts';
import { until } from '../support/until.ts';

let upstream: Server;
let port: number;
let nameServer: NameServer;
let world: EgressWorld;

beforeAll(async () => {
  upstream = createServer((_request, response) => response.writeHead(204).end());
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  port = (upstream.address() as AddressInfo).port;
});
afterEach(async () => {
  await world.egress.close();
  nameServer.close();
});
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

async function start(records: Readonly<Record<string, readonly string[]>>): Promise<void> {
  nameServer = await startNameServer(records);
  world = egressWorld({
    grants: {
      evil: ['http:*.silent.test', 'http:silent.test'],
      good: ['localhost', 'good.test', 'mixed.test', 'nowhere.test', 'silent.test'].map(
        (host) => `http:${host}:${port}`,
      ),
    },
    settings: {
      timeoutMs: 8_000,
      allowPrivate: new Set(['localhost', 'good.test'].map((host) => `${host}:${port}`)),
      nameServers: [nameServer.address],
    },
  });
}

it('hold up neither other modules nor the host', async () => {
  await start({ 'good.test': ['127.0.0.1'] });
  const [evil, good] = [world.open('evil'), world.open('good')];
  for (let index = 0; index < 40; index++) {
    // Given up at once, again and again; what the host does for it goes on.
    for (const url of [`http://a${index}.silent.test/`, `https://a${index}.silent.test/`, 'http://silent.test/'])
      void evil.fetch(url, { timeoutMs: 50, retry: false }).catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => nameServer.questions.some((name) => name.endsWith('silent.test')));
  for (const host of ['localhost', 'good.test'])
    expect((await good.fetch(`http://${host}:${port}/`)).status, host).toBe(204);
  // The threads of the host are free: getaddrinfo of whatever needs it still answers.
  expect((await lookup('localhost')).address).toMatch(/^(127\.0\.0\.1|::1)$/);
  const silent = new Set(nameServer.questions.filter((name) => name.endsWith('silent.test')));
  expect(silent.size).toBeLessThanOrEqual(2);
});

it('end in an error that is worth another try, and not in a wait without end', async () => {
  await start({});
  const good = world.open('good');
  const failed = good.fetch(`http://silent.test:${port}/`, { retry: false });
  await expect(failed).rejects.toMatchObject({ code: 'EGRESS_FAILED', cause: { code: 'EAI_AGAIN' } });
  await expect(failed).rejects.toThrow('could not be resolved');
});

it('and names that do not exist, or lead inside, are refused as ever', async () => {
  await start({ 'mixed.test': ['93.184.216.34', '127.0.0.1'], 'nowhere.test': [] });
  const good = world.open('good');
  await expect(good.fetch(`http://mixed.test:${port}/`)).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
  await expect(good.fetch(`http://nowhere.test:${port}/`)).rejects.toMatchObject({
    code: 'EGRESS_FAILED',
    cause: { code: 'ENOTFOUND' },
  });
});

it('are no longer asked for when their module ends', async () => {
  await start({});
  const evil = world.open('evil');
  const fetching = evil.fetch('http://silent.test/', { retry: false }).catch((error: { code?: string }) => error.code);
  await until(() => nameServer.questions.length > 0);
  evil.stop();
  expect(await fetching).toBe('EGRESS_FAILED');
});
