/** A module's requests to the outside, led astray: by names that lie, by redirects, by upstreams that break HTTP. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { HttpResponse } from '@plexichat/sdk/protocol/capabilities/http';
import { afterEach, describe, expect, it } from 'vitest';
import { ownAddresses, resolveChecked } from '../../runtime/capabilities/address.ts';
import { createHttpEgress, type HttpEgress, type HttpSettings } from '../../runtime/capabilities/http.ts';
import { parsePermission } from '../../runtime/capabilities/permission.ts';
import { scriptGuest } from '../support/scripted-guest.ts';
import { until } from '../support/until.ts';

interface Arrived {
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const servers: (Server | TcpServer)[] = [];
const egresses: HttpEgress[] = [];
afterEach(async () => {
  await Promise.all(egresses.splice(0).map((egress) => egress.close()));
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

async function listen<Some extends Server | TcpServer>(server: Some): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** `/to?` and a URL redirects there; everything else is noted and answered. */
async function upstream() {
  const arrived: Arrived[] = [];
  const port = await listen(
    createServer((request, response) => {
      const { url = '', headers } = request;
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        arrived.push({ url, headers, body });
        const [, status, location] = /^\/to(\d{3})?\?(.*)$/.exec(url) ?? [];
        if (location === undefined) response.end('arrived');
        else response.writeHead(Number(status ?? 302), { location: decodeURIComponent(location) }).end();
      });
    }),
  );
  return { port, arrived };
}

/** An upstream that says these bytes, whatever it is asked. */
function saying(bytes: string): Promise<number> {
  return listen(
    createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(Buffer.from(bytes, 'latin1')));
    }),
  );
}

interface WorldOptions {
  readonly grants: readonly string[];
  readonly names?: Readonly<Record<string, readonly string[]>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly settings?: Partial<HttpSettings>;
}

function secretOf(secrets: Readonly<Record<string, string>>, name: string) {
  const value = secrets[name];
  return value === undefined ? undefined : { value };
}

function world({ grants, names = {}, secrets = {}, settings = {} }: WorldOptions) {
  const granted = grants.map((text) => {
    const parsed = parsePermission(text);
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed.permission;
  });
  const lookups: string[] = [];
  const egress = createHttpEgress(
    {
      allowPrivate: new Set(
        grants.map((grant) => grant.slice('http:'.length)).filter((host) => host.startsWith('local')),
      ),
      timeoutMs: 2000,
      maxResponseBytes: 100_000,
      resolver: async (host) => {
        lookups.push(host);
        const addresses = names[host] ?? ['127.0.0.1'];
        return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      },
      ...settings,
    },
    { granted: () => granted, secret: (_module, name) => secretOf(secrets, name) },
  );
  egresses.push(egress);
  const guest = scriptGuest();
  const methods = egress.capability({
    module: 'demo',
    session: () => guest.session,
    admitLine: () => true,
    signal: new AbortController().signal,
  });
  let id = 0;
  const fetch = (url: string, request: Record<string, unknown> = {}) =>
    methods.fetch?.({
      id: ++id,
      method: 'GET',
      url,
      headers: [],
      body: { kind: 'none' },
      ...request,
    }) as Promise<HttpResponse>;
  return { fetch, lookups, guest };
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: { code?: string }) => error.code,
  );

describe('a granted name', () => {
  it.each([
    ['loopback', ['127.0.0.1']],
    ['loopback as IPv6', ['::1']],
    ['loopback, mapped', ['::ffff:127.0.0.1']],
    ['loopback, mapped, in hexadecimal', ['::ffff:7f00:1']],
    ['loopback, compatible', ['::7f00:1']],
    ['a private address through NAT64', ['64:ff9b::a00:1']],
    ['cloud metadata through NAT64', ['64:ff9b::a9fe:a9fe']],
    ['a private address through local NAT64', ['64:ff9b:1::a00:1']],
    ['a private address through 6to4', ['2002:a00:1::']],
    ['a private address through Teredo', ['2001:0:a00:1::']],
    ['a private address through SIIT', ['::ffff:0:a00:1']],
    ['cloud metadata', ['169.254.169.254']],
    ['cloud metadata as IPv6', ['fd00:ec2::254']],
    ['nothing', ['0.0.0.0']],
    ['nothing as IPv6', ['::']],
    ['everybody', ['255.255.255.255']],
    ['a public address and loopback', ['93.184.216.34', '127.0.0.1']],
    ['a public address and loopback as IPv6', ['93.184.216.34', '::1']],
    ['loopback and a public address', ['::ffff:127.0.0.1', '2606:4700::1111']],
    ['many public addresses and a private one', [...Array(50).fill('93.184.216.34'), '10.0.0.1']],
    ['no address at all, but text', ['localhost']],
    ['an address with a zone', ['fe80::1%lo']],
    ['an address as only C reads it', ['0x7f000001']],
    ['an address with leading zeros', ['127.0.0.01']],
  ])('that leads to %s is not followed', async (_name, addresses) => {
    const { port, arrived } = await upstream();
    const { fetch } = world({ grants: [`http:api.test:${port}`], names: { 'api.test': addresses } });
    expect(await codeOf(fetch(`http://api.test:${port}/`))).toBe('EGRESS_DENIED');
    expect(arrived).toEqual([]);
  });

  it('that leads to this very machine by its public address is not followed either', async () => {
    const { port, arrived } = await upstream();
    const names = {
      'me.test': ['93.184.216.34'],
      'me6.test': ['2606:4700::1111'],
      'both.test': ['1.1.1.1', '93.184.216.34'],
    };
    const settings = { ownAddresses: () => new Set(['93.184.216.34', '2606:4700:0:0:0:0:0:1111']), timeoutMs: 300 };
    const { fetch } = world({ grants: Object.keys(names).map((name) => `http:${name}:${port}`), names, settings });
    for (const name of Object.keys(names))
      expect(await codeOf(fetch(`http://${name}:${port}/`)), name).toBe('EGRESS_DENIED');
    expect(arrived).toEqual([]);
  });

  it('is held against the addresses that this machine has', async () => {
    const own = ownAddresses();
    const listed = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
    expect(own.has('127.0.0.1')).toBe(true);
    for (const { address } of listed.filter(({ family }) => family === 'IPv4')) expect(own.has(address)).toBe(true);
    const mapped = async () => [{ address: '::ffff:8.8.8.8', family: 6 }];
    await expect(resolveChecked('a.test', false, mapped, () => new Set(['8.8.8.8']))).rejects.toMatchObject({
      code: 'EGRESS_DENIED',
    });
  });

  it('is asked for once a connection, and what was checked is what is connected to', async () => {
    const { port, arrived } = await upstream();
    let asked = 0;
    const resolver = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '192.0.2.1' : '127.0.0.1', family: 4 }];
    };
    const { fetch } = world({ grants: [`http:rebind.test:${port}`], settings: { resolver, timeoutMs: 300 } });
    for (let count = 1; count <= 3; count += 1) {
      expect(await codeOf(fetch(`http://rebind.test:${port}/`))).toBe('EGRESS_DENIED');
      expect(asked).toBe(count);
    }
    expect(arrived).toEqual([]);
  });
});

describe('a redirect', () => {
  const redirected = async (
    location: (port: number) => string,
    grants: (port: number) => readonly string[] = () => [],
  ) => {
    const { port, arrived } = await upstream();
    const at = world({ grants: [`http:local.test:${port}`, ...grants(port)] });
    const code = await codeOf(at.fetch(`http://local.test:${port}/to?${encodeURIComponent(location(port))}`));
    return { code, arrived, lookups: at.lookups };
  };

  it.each<[string, (port: number) => string]>([
    ['a file', () => 'file:///etc/passwd'],
    ['data', () => 'data:text/plain,x'],
    ['ftp', () => 'ftp://local.test/'],
    ['gopher', (port) => `gopher://local.test:${port}/_x`],
    ['javascript', () => 'javascript:alert(1)'],
    ['ws', (port) => `ws://local.test:${port}/`],
    ['a blob', (port) => `blob:http://local.test:${port}/x`],
    ['a unix socket', () => 'unix:/var/run/docker.sock'],
    ['a decimal number', (port) => `http://2130706433:${port}/`],
    ['an octal number', (port) => `http://017700000001:${port}/`],
    ['a hexadecimal number', (port) => `http://0x7f.1:${port}/`],
    ['a short number', (port) => `http://127.1:${port}/`],
    ['full-width digits', (port) => `http://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1:${port}/`],
    ['mapped IPv6', (port) => `http://[::ffff:127.0.0.1]:${port}/`],
    ['a trailing dot', (port) => `http://local.test.:${port}/`],
    ['a trailing dot of localhost', (port) => `http://localhost.:${port}/`],
    ['another host without a scheme', (port) => `//evil.test:${port}/`],
    ['another host after backslashes', (port) => `\\\\evil.test:${port}/`],
    ['another host behind a user name', (port) => `http://local.test@evil.test:${port}/`],
    ['the same host with a user name', (port) => `http://user@local.test:${port}/`],
    ['the same host with an empty user name and a password', (port) => `http://:word@local.test:${port}/`],
    ['another port', (port) => `http://local.test:${port === 1 ? 2 : 1}/`],
    ['the usual port', () => 'http://local.test/'],
    ['another host in a fragment’s clothes', (port) => `http://evil.test:${port}#@local.test:${port}/`],
    ['another host in a query’s clothes', (port) => `http://evil.test:${port}?@local.test:${port}/`],
  ])('to %s is refused, and no name is asked for', async (_name, location) => {
    const { code, arrived, lookups } = await redirected(location);
    expect(code).toBe('EGRESS_DENIED');
    expect(arrived.map(({ url }) => url.slice(0, 4))).toEqual(['/to?']);
    expect(lookups).toEqual(['local.test']);
  });

  it('to TLS on the same port and host leaves credentials behind, since that is another origin', async () => {
    const { code } = await redirected((port) => `https://local.test:${port}/`);
    expect(code).toBe('EGRESS_FAILED');
  });

  const credentials = [
    ['authorization', 'Bearer {{secret.key}}'],
    ['cookie', 'a=b'],
    ['x-api-key', '{{secret.key}}'],
    ['x-other', 'private'],
    ['proxy-authenticate', 'x'],
    ['referer', 'http://local.test/{{secret.key}}'],
    ['accept', 'text/plain'],
  ];

  it.each([301, 302, 303, 307, 308])('%d to another port drops what was meant for the first', async (status) => {
    const [one, two] = [await upstream(), await upstream()];
    const grants = [`http:local.test:${one.port}`, `http:local.test:${two.port}`];
    const { fetch } = world({ grants, secrets: { key: 'open-sesame' } });
    await fetch(`http://local.test:${one.port}/to${status}?http://local.test:${two.port}/next`, {
      headers: credentials,
    });
    expect(one.arrived[0]?.headers).toMatchObject({ authorization: 'Bearer open-sesame', cookie: 'a=b' });
    expect(Object.keys(two.arrived[0]?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ]);
    expect(JSON.stringify(two.arrived)).not.toContain('sesame');
  });

  it('away and back again does not bring credentials back', async () => {
    const [one, two] = [await upstream(), await upstream()];
    const grants = [`http:local.test:${one.port}`, `http:local.test:${two.port}`];
    const { fetch } = world({ grants, secrets: { key: 'open-sesame' } });
    const back = encodeURIComponent(`http://local.test:${one.port}/home`);
    const there = encodeURIComponent(`http://local.test:${two.port}/to?${back}`);
    await fetch(`http://local.test:${one.port}/to?${there}`, { headers: credentials });
    expect(one.arrived.map(({ url }) => url.split('?')[0])).toEqual(['/to', '/home']);
    expect(one.arrived[1]?.headers.authorization).toBeUndefined();
    expect(JSON.stringify([one.arrived[1], two.arrived])).not.toContain('sesame');
  });

  it.each(['/{{secret.key}}', '/?q={{secret.key}}', '/?q=%7B%7Bsecret.key%7D%7D'])(
    'that names a secret is not filled in, only the module’s own words are: %s',
    async (location) => {
      const asked: string[] = [];
      const port = await listen(
        createServer(({ url = '' }, response) => {
          asked.push(url);
          if (url === '/start') response.writeHead(302, { location }).end();
          else response.end();
        }),
      );
      const { fetch } = world({ grants: [`http:local.test:${port}`], secrets: { key: 'open-sesame' } });
      await fetch(`http://local.test:${port}/start`);
      expect(asked).toEqual(['/start', new URL(location, 'http://x').href.slice('http://x'.length)]);
    },
  );

  it.each([300, 304, 305, 306, 310, 399])('with %d is none: the module gets the answer', async (status) => {
    const { port, arrived } = await upstream();
    const { fetch } = world({ grants: [`http:local.test:${port}`] });
    expect((await fetch(`http://local.test:${port}/to${status}?http://127.0.0.1/`)).status).toBe(status);
    expect(arrived).toHaveLength(1);
  });

  it('with two targets is none', async () => {
    const port = await saying(
      'HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n',
    );
    const { fetch } = world({ grants: [`http:local.test:${port}`] });
    expect((await fetch(`http://local.test:${port}/`)).status).toBe(302);
  });
});

describe('an upstream that breaks HTTP', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\n';

  it.each<[string, string]>([
    ['two lengths', `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ['a length and chunks', `${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a header without end', `${HEAD}A: ${'b'.repeat(100_000)}`],
    ['many headers', `${HEAD}${'a: b\r\n'.repeat(20_000)}\r\n`],
    [
      'an upgrade that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.0\r\n'],
    ['a status that is none', 'HTTP/1.1 99999 Nope\r\n\r\n'],
    ['NUL in a header', `${HEAD}A: b\0c\r\n\r\n`],
  ])('with %s fails as such, and the host goes on', async (_name, bytes) => {
    const port = await saying(bytes);
    const { fetch } = world({ grants: [`http:local.test:${port}`], settings: { timeoutMs: 500 } });
    expect(await codeOf(fetch(`http://local.test:${port}/`))).toBe('EGRESS_FAILED');
  });

  it('that never gets to the point is given up on', async () => {
    const port = await saying('HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000));
    const { fetch } = world({ grants: [`http:local.test:${port}`], settings: { timeoutMs: 300 } });
    expect(await codeOf(fetch(`http://local.test:${port}/`))).toBe('EGRESS_FAILED');
  });

  it('puts no second answer into the next request of another module', async () => {
    const smuggled = `${HEAD}Content-Length: 4\r\n\r\nevil`;
    const port = await saying(`${HEAD}Content-Length: 4\r\n\r\ngood${smuggled}`);
    const { fetch, guest } = world({ grants: [`http:local.test:${port}`], settings: { timeoutMs: 500 } });
    await fetch(`http://local.test:${port}/first`);
    await until(() => guest.chunks.length > 0);
    // The connection on which something was left over is not used again.
    const second = await fetch(`http://local.test:${port}/second`);
    await until(() => guest.chunks.length > 1);
    expect(second.status).toBe(200);
    expect(Buffer.concat(guest.chunks).toString()).toBe('goodgood');
  });

  it('sends a packed bomb: nobody unpacks it here', async () => {
    const port = await saying(`${HEAD}Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08`);
    const { fetch, guest } = world({ grants: [`http:local.test:${port}`] });
    const answer = await fetch(`http://local.test:${port}/`);
    expect(answer.headers).toContainEqual(['content-encoding', 'gzip']);
    await until(() => guest.chunks.length > 0);
    expect(Buffer.concat(guest.chunks)).toEqual(Buffer.from([0x1f, 0x8b, 0x08]));
  });
});
