import { describe, expect, it } from 'vitest';
import { checkedLookup, isPublicAddress, type Resolver, resolveChecked } from '../../runtime/capabilities/address.ts';

describe('a public address', () => {
  it.each(['1.1.1.1', '8.8.8.8', '93.184.216.34', '172.15.255.255', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])(
    'is %s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
});

describe('an address that a module never reaches', () => {
  it.each([
    ['this network', '0.0.0.0'],
    ['this network, elsewhere', '0.1.2.3'],
    ['private 10', '10.0.0.1'],
    ['private 172.16', '172.16.0.1'],
    ['private 172.31', '172.31.255.255'],
    ['private 192.168', '192.168.1.1'],
    ['loopback', '127.0.0.1'],
    ['loopback, elsewhere', '127.255.255.254'],
    ['link-local: cloud metadata', '169.254.169.254'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['IETF protocol assignments', '192.0.0.1'],
    ['documentation', '192.0.2.1'],
    ['documentation 2', '198.51.100.1'],
    ['documentation 3', '203.0.113.1'],
    ['benchmarking', '198.18.0.1'],
    ['6to4 relays', '192.88.99.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['IPv6 unspecified', '::'],
    ['IPv6 loopback', '::1'],
    ['IPv6 loopback, written out', '0:0:0:0:0:0:0:1'],
    ['IPv6 link-local', 'fe80::1'],
    ['IPv6 link-local with a zone', 'fe80::1%eth0'],
    ['IPv6 unique local', 'fd00::1'],
    ['IPv6 unique local: cloud metadata', 'fd00:ec2::254'],
    ['IPv6 site-local', 'fec0::1'],
    ['IPv6 multicast', 'ff02::1'],
    ['IPv6 documentation', '2001:db8::1'],
    ['IPv6 documentation 2', '3fff::1'],
    ['IPv6 discard', '100::1'],
    ['mapped loopback', '::ffff:127.0.0.1'],
    ['mapped loopback in hexadecimal', '::ffff:7f00:1'],
    ['mapped private', '::ffff:10.0.0.1'],
    ['IPv4-compatible loopback', '::127.0.0.1'],
    ['IPv4-compatible private', '::a00:1'],
    ['6to4 of a private address', '2002:0a00:0001::1'],
    ['6to4 of a public address', '2002:0808:0808::1'],
    ['Teredo', '2001:0:7f00:1::1'],
    ['NAT64 of a private address', '64:ff9b::10.0.0.1'],
    ['NAT64 of a public address', '64:ff9b::8.8.8.8'],
    ['local NAT64', '64:ff9b:1::10.0.0.1'],
    ['SIIT', '::ffff:0:127.0.0.1'],
    ['segment routing', '5f00::1'],
    ['unassigned IPv6', '4000::1'],
  ])('is %s', (_name, address) => expect(isPublicAddress(address)).toBe(false));

  it.each([
    '',
    'localhost',
    'example.com',
    '127.0.0.1.',
    ' 127.0.0.1',
    '1.1.1.1/8',
    '1.1.1.1:80',
    '[::1]',
    '::g',
    'null',
  ])('is what is no address at all: %j', (text) => expect(isPublicAddress(text)).toBe(false));

  it.each(['127.1', '2130706433', '0x7f000001', '0177.0.0.1', '0x7f.1', '017700000001'])(
    'is loopback in a shape that only C knows: %s',
    (text) => expect(isPublicAddress(text)).toBe(false),
  );
});

describe('a name', () => {
  const resolver =
    (...addresses: string[]): Resolver =>
    async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

  it('with public addresses resolves to all of them', async () => {
    expect(await resolveChecked('a.test', false, resolver('1.1.1.1', '2606:4700::1111'))).toHaveLength(2);
  });

  it('is refused whole for one bad record among good ones', async () => {
    const error = resolveChecked('a.test', false, resolver('1.1.1.1', '2606:4700::1111', '127.0.0.1'));
    await expect(error).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
  });

  it('without a record, or that nobody knows, is not reached', async () => {
    await expect(resolveChecked('a.test', false, resolver())).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
    const unknown = resolveChecked('a.test', false, () => Promise.reject(new Error('ENOTFOUND')));
    await expect(unknown).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
  });

  it('may be private where the operator said so', async () => {
    expect(await resolveChecked('a.test', true, resolver('10.0.0.1'))).toHaveLength(1);
  });

  it('gives a socket exactly the addresses that were checked, in the shape that it asks for', async () => {
    const lookup = checkedLookup((host) => host === 'private.test', resolver('10.0.0.1'));
    const ask = (host: string, all: boolean) =>
      new Promise((resolve) => lookup(host, { all }, (error, ...found) => resolve(error ?? found)));
    expect(await ask('private.test', true)).toEqual([[{ address: '10.0.0.1', family: 4 }]]);
    expect(await ask('private.test', false)).toEqual(['10.0.0.1', 4]);
    expect(await ask('public.test', false)).toMatchObject({ code: 'EGRESS_DENIED' });
  });
});
