/**
 * Every way that we know to have a host fetch what is not public, as one table: forms of a URL, records of a name,
 * redirects, names that change their mind, proxies of the environment. A server listens on loopback; nothing may arrive.
 */
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import type { HttpResponse } from '@plexichat/sdk/protocol/capabilities/http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../runtime/capabilities/address.ts';
import { createHttpEgress, type HttpEgress, type HttpSettings } from '../../runtime/capabilities/http.ts';
import { parsePermission } from '../../runtime/capabilities/permission.ts';
import { scriptGuest } from '../support/scripted-guest.ts';

let server: Server;
let port = 0;
let redirectTo = '';
const arrived: string[] = [];
const egresses: HttpEgress[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { host } = request.headers;
    if (request.url === '/redirect') response.writeHead(302, { location: redirectTo }).end();
    else {
      arrived.push(`${host}${request.url}`);
      response.end('inside');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  await Promise.all(egresses.map((egress) => egress.close()));
  server.closeAllConnections();
  server.close();
});

type Records = (host: string, count: number) => readonly string[];

/** Granted is every name that the table uses, by itself and by a star, on the usual ports and on the server's. */
function open(records: Records, settings: Partial<HttpSettings> = {}) {
  const hosts = ['localhost', 'api.test', 'granted.example', '*.granted.example', 'xn--bcher-kva.example'];
  const permissions = hosts
    .flatMap((host) => [`http:${host}`, `http:${host}:${port}`])
    .map((text) => {
      const parsed = parsePermission(text);
      if (!parsed.ok) throw new Error(parsed.message);
      return parsed.permission;
    });
  let count = 0;
  const lookups: string[] = [];
  const egress = createHttpEgress(
    {
      allowPrivate: new Set(),
      timeoutMs: 400,
      maxResponseBytes: 1_000,
      resolver: async (host) => {
        lookups.push(host);
        return records(host, count++).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      },
      ...settings,
    },
    { granted: () => permissions, secret: () => undefined },
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
  const codeOf = (url: string): Promise<unknown> => {
    const request = { id: ++id, method: 'GET', url, headers: [], body: { kind: 'none' } };
    const answer = Promise.resolve(methods.fetch?.(request)) as Promise<HttpResponse>;
    return answer.then(
      () => 'answered',
      (error: { code?: unknown }) => error.code,
    );
  };
  return { codeOf, lookups };
}

const HOSTS: readonly (readonly [string, string])[] = [
  ['IPv4', '127.0.0.1'],
  ['IPv4, another loopback', '127.8.8.8'],
  ['no address', '0.0.0.0'],
  ['no address, short', '0'],
  ['short IPv4', '127.1'],
  ['shorter IPv4', '127.0.1'],
  ['a decimal number', '2130706433'],
  ['a decimal number that overflows', '6425673729'],
  ['octal digits', '0177.0.0.1'],
  ['one octal number', '017700000001'],
  ['octal with many zeros', '00000177.0.0.1'],
  ['hexadecimal digits', '0x7f.0x0.0x0.0x1'],
  ['one hexadecimal number', '0x7f000001'],
  ['mixed digits', '0x7f.0.0.01'],
  ['hexadecimal without digits', '0x'],
  ['IPv4 with a trailing dot', '127.0.0.1.'],
  ['IPv4 with two trailing dots', '127.0.0.1..'],
  ['full-width digits', '１２７.０.０.１'],
  ['ideographic dots', '127。0。0。1'],
  ['full-width dots', '127．0．0．1'],
  ['half-width dots', '127｡0｡0｡1'],
  ['circled digits', '①②⑦.⓪.⓪.①'],
  ['encoded digits', '%31%32%37.0.0.1'],
  ['an encoded dot', '127%2e0.0.1'],
  ['a soft hyphen', '127.0.0.1\u00ad'],
  ['IPv6', '[::1]'],
  ['IPv6, written out', '[0:0:0:0:0:0:0:1]'],
  ['IPv6 unspecified', '[::]'],
  ['mapped IPv4', '[::ffff:127.0.0.1]'],
  ['mapped IPv4 in hexadecimal', '[::ffff:7f00:1]'],
  ['compatible IPv4', '[::127.0.0.1]'],
  ['NAT64', '[64:ff9b::7f00:1]'],
  ['6to4', '[2002:7f00:1::]'],
  ['a zone', '[fe80::1%25lo]'],
  ['a zone without encoding', '[fe80::1%lo]'],
  ['a zone of loopback', '[::1%25eth0]'],
  ['a public address: nobody granted one', '93.184.216.34'],
  ['a public IPv6 address', '[2606:4700::1111]'],
  ['localhost with a trailing dot', 'localhost.'],
  ['a granted name with a trailing dot', 'api.test.'],
  ['a granted name with an ideographic dot at its end', 'api.test。'],
  ['a granted name with two dots at its end', 'api.test..'],
  ['a granted name behind a user', 'api.test@127.0.0.1'],
  ['a granted name as user and password', 'api.test:80@127.0.0.1'],
  ['a granted name before a backslash', '127.0.0.1\\@api.test'],
  ['a granted name before a number sign', '127.0.0.1#@api.test'],
  ['a granted name before a question mark', '127.0.0.1?@api.test'],
  ['a granted name with a tab', '127.0.0.1\t'],
  ['a name that only ends like a granted one', 'evil-granted.example'],
  ['two levels below a star', 'a.b.granted.example'],
  ['an empty level below a star', '.granted.example'],
  ['a star itself', '*.granted.example'],
  ['a name that looks like a granted one', 'аpi.test'],
  ['NUL', 'api.test\0'],
  ['a space', 'api.test 127.0.0.1'],
  ['nothing', ''],
];

describe('a URL whose host is', () => {
  it.each(HOSTS)('%s is refused, and no name is asked for: %j', async (_name, host) => {
    const { codeOf, lookups } = open(() => ['127.0.0.1']);
    for (const url of [`http://${host}:${port}/`, `http://${host}/`, `https://${host}:${port}/`]) {
      // A backslash, a question mark or a number sign moves the port into the path: some of these are no URL at all.
      expect(['EGRESS_DENIED', 'INVALID_CALL'], url).toContain(await codeOf(url));
    }
    expect(lookups).toEqual([]);
    expect(arrived).toEqual([]);
  });

  it.each(HOSTS.filter(([, host]) => host !== ''))(
    '%s is refused as the target of a redirect too: %j',
    async (_name, host) => {
      const { codeOf } = open(() => ['127.0.0.1'], {
        allowPrivate: new Set([`api.test:${port}`]),
      });
      redirectTo = encodeURI(`http://${host}:${port}/`).replaceAll('%25', '%');
      expect(['EGRESS_DENIED', 'EGRESS_FAILED'], redirectTo).toContain(
        await codeOf(`http://api.test:${port}/redirect`),
      );
      expect(arrived).toEqual([]);
    },
  );
});

/** One address of each block that is not for everybody, by the IANA registries of special addresses. */
const IPV4 = [
  '0.0.0.0',
  '0.255.255.255',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.0.170',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '192.168.255.255',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
];
const IPV6 = [
  '::',
  '::1',
  '100::1',
  '2001::1',
  '2001:2::1',
  '2001:db8::1',
  '2001:10::1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%lo',
  'fec0::1',
  'ff02::1',
  '4000::1',
  'e000::1',
];

function hex(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** How IPv6 carries an IPv4 address. */
const CARRIED: Readonly<Record<string, (address: string) => string>> = {
  plain: (address) => address,
  mapped: (address) => `::ffff:${address}`,
  'mapped, in hexadecimal': (address) => `::ffff:${hex(address)}`,
  'mapped, written out': (address) => `0:0:0:0:0:ffff:${hex(address)}`,
  compatible: (address) => `::${hex(address)}`,
  SIIT: (address) => `::ffff:0:${hex(address)}`,
  NAT64: (address) => `64:ff9b::${hex(address)}`,
  'NAT64, local': (address) => `64:ff9b:1::${hex(address)}`,
  '6to4': (address) => `2002:${hex(address)}::1`,
  Teredo: (address) => `2001:0:${hex(address)}::1`,
  ISATAP: (address) => `fe80::5efe:${hex(address)}`,
};

describe('a name whose record is', () => {
  const table = [
    ...Object.entries(CARRIED).flatMap(([how, carry]) => IPV4.map((address) => [how, carry(address)] as const)),
    ...IPV6.map((address) => ['IPv6', address] as const),
    ...['127.1', '0x7f000001', '2130706433', '0177.0.0.1', 'localhost', '', '127.0.0.1.'].map(
      (address) => ['no address', address] as const,
    ),
  ];

  it.each(table)('%s is not connected to: %s', async (_how, address) => {
    expect(isPublicAddress(address)).toBe(false);
    const alone = open(() => [address]);
    expect(await alone.codeOf(`http://api.test:${port}/`)).toBe('EGRESS_DENIED');
    const behind = open(() => ['93.184.216.34', address]);
    expect(await behind.codeOf(`http://api.test:${port}/`)).toBe('EGRESS_DENIED');
    expect(arrived).toEqual([]);
  });

  it('anything that carries a private address is refused, whatever the private address is', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const inside = fc.oneof(
      fc.tuple(fc.constantFrom(0, 10, 127, 224, 239, 240, 255), octet, octet, octet),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
      fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
      fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
    );
    fc.assert(
      fc.property(inside, fc.constantFrom(...Object.values(CARRIED)), (octets, carry) => {
        expect(isPublicAddress(carry(octets.join('.')))).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a name that changes its mind', () => {
  it.each<[string, Records]>([
    ['at the second lookup', (_host, count) => (count === 0 ? ['192.0.2.1'] : ['127.0.0.1'])],
    ['at every other', (_host, count) => (count % 2 === 0 ? ['198.18.0.1'] : ['127.0.0.1'])],
    ['from record to record', (_host, count) => (count === 0 ? ['93.184.216.34', '127.0.0.1'] : ['127.0.0.1'])],
  ])('%s reaches nothing inside', async (_name, records) => {
    const { codeOf } = open(records);
    for (let attempt = 0; attempt < 4; attempt++)
      expect(await codeOf(`http://api.test:${port}/`)).toBe('EGRESS_DENIED');
    expect(arrived).toEqual([]);
  });

  it('after a lost connection, between two attempts of one request, reaches nothing inside', async () => {
    // The first connection goes nowhere, so that the request is sent again.
    const failing: Records = (_host, count) => {
      if (count === 0) throw Object.assign(new Error('try again'), { code: 'EAI_AGAIN' });
      return ['127.0.0.1'];
    };
    const { codeOf, lookups } = open(failing, { timeoutMs: 2_000 });
    expect(await codeOf(`http://api.test:${port}/`)).toBe('EGRESS_DENIED');
    expect(lookups).toHaveLength(2);
    expect(arrived).toEqual([]);
  });

  it('to an address of this very machine reaches nothing, though others may', async () => {
    const { codeOf } = open(() => ['93.184.216.34'], { ownAddresses: () => new Set(['93.184.216.34']) });
    expect(await codeOf(`http://api.test:${port}/`)).toBe('EGRESS_DENIED');
  });
});

describe('a proxy of the environment', () => {
  it('is not asked, whatever Node was told', async () => {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(String(request.url));
      response.end('proxied');
    });
    proxy.on('connect', (request, socket) => {
      asked.push(String(request.url));
      socket.destroy();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
    const env = {
      ...process.env,
      NO_PROXY: '',
      no_proxy: '',
      NODE_USE_ENV_PROXY: '1',
      ...Object.fromEntries(names.map((name) => [name, address])),
    };
    const program = new URL('../support/fetch-outside.ts', import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(process.execPath, ['--use-env-proxy', program, String(port)], { env });
    proxy.close();
    // What the server of this file said: nobody was in between. The program's own fetch shows that the proxy is in force.
    expect(JSON.parse(stdout)).toEqual({ egress: [200, `api.test:${port}/proxied`], nodes: 'proxied' });
    expect(asked).toEqual([`http://127.0.0.1:${port}/nodes-own`]);
    expect(arrived.splice(0)).toEqual([`api.test:${port}/proxied`]);
  });
});
