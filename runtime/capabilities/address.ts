/** Which addresses a module may be connected to: an allow-list of what is plainly public. */
import type { LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import ipaddr from 'ipaddr.js';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export type Resolver = (host: string) => Promise<readonly ResolvedAddress[]>;

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** `::1.2.3.4` was once to hold an IPv4 address; ipaddr.js takes it for that address, and no system does (RFC 4291). */
const COMPATIBLE = /^(?:[0:]*):\d+\.\d+\.\d+\.\d+$/;

/** Boundary: loopback, private, link-local, mapped, multicast, documentation and reserved ranges are all not unicast. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text) || COMPATIBLE.test(text)) return false;
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return false;
  // The registry leaves the rest of IPv6 unassigned, and old forms that hold an IPv4 address are in there (RFC 4291).
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST);
}

/** Public to others, but local to us: between us and our own services no firewall stands. */
export function ownAddresses(): ReadonlySet<string> {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(interfaces.map(({ address }) => canonical(address)));
}

function canonical(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toNormalizedString() : address;
}

/** Every address that the name has must be fit to connect to; one bad record refuses the name. */
export async function resolveChecked(
  host: string,
  allowPrivate: boolean,
  resolver: Resolver,
  own: () => ReadonlySet<string> = ownAddresses,
): Promise<readonly ResolvedAddress[]> {
  let addresses: readonly ResolvedAddress[];
  try {
    addresses = await resolver(host);
  } catch (error) {
    throw new PlexiError('EGRESS_FAILED', `The name ${host} could not be resolved.`, { cause: error });
  }
  if (addresses.length === 0) throw new PlexiError('EGRESS_FAILED', `The name ${host} has no address.`);
  if (!allowPrivate && !addresses.every(({ address }) => isPublicAddress(address))) {
    throw new PlexiError(
      'EGRESS_DENIED',
      `${host} has an address that is not public; the operator has not allowed that.`,
    );
  }
  if (!allowPrivate) assertElsewhere(host, addresses, own());
  return addresses;
}

function assertElsewhere(host: string, addresses: readonly ResolvedAddress[], own: ReadonlySet<string>): void {
  if (!addresses.some(({ address }) => own.has(canonical(address)))) return;
  throw new PlexiError(
    'EGRESS_DENIED',
    `${host} has an address of this very machine; the operator has not allowed that.`,
  );
}

/**
 * A lookup for sockets that checks at the moment of connecting, so that the address that was checked is the one that
 * is connected to: a name that changes its mind between two lookups gains nothing.
 */
export function checkedLookup(
  mayBePrivate: (host: string) => boolean,
  resolver: Resolver,
  own?: () => ReadonlySet<string>,
): LookupFunction {
  return (host, options, callback) => {
    resolveChecked(host, mayBePrivate(host), resolver, own).then(
      (addresses) => {
        const [first] = addresses;
        if (options.all) callback(null, [...addresses]);
        else callback(null, first?.address ?? '', first?.family ?? 0);
      },
      (error: Error) => callback(error, '', 0),
    );
  };
}
