/**
 * One question to the name servers of the operating system. Not by getaddrinfo: that keeps one of libuv's few threads for
 * as long as a name server is silent, nobody can call it off, and with the threads everything else of the host waits.
 */
import type { RecordWithTtl } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import type { ResolvedAddress } from './address.ts';

export interface LookupAnswer {
  readonly addresses: readonly ResolvedAddress[];
  /** How long the name's owner wants it to be believed. */
  readonly ttlMs: number;
}

export interface Lookup {
  /** Rejects with the code ENOTFOUND, or EAI_AGAIN when another try may help. */
  readonly answer: Promise<LookupAnswer>;
  cancel(): void;
}

export type AskNameServers = (host: string) => Lookup;

/** Of one lookup, with all its tries. */
export const LOOKUP_MS = 5_000;
const TRY_MS = 1_500;
const TRIES = 2;
/** What a name has beyond these is neither looked at nor connected to. */
const MAX_ADDRESSES_OF_A_FAMILY = 16;
const NO_SUCH_NAME: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/** @param servers addresses; absent: those of resolv.conf, read anew each time */
export function askNameServers(servers?: readonly string[]): AskNameServers {
  return (host) => {
    // One for each lookup: what is cancelled is everything that a resolver has under way.
    const resolver = new Resolver({ timeout: TRY_MS, maxTimeout: TRY_MS, tries: TRIES });
    if (servers !== undefined) resolver.setServers(servers);
    const timer = setTimeout(() => resolver.cancel(), LOOKUP_MS);
    const answer = Promise.allSettled([
      resolver.resolve4(host, { ttl: true }),
      resolver.resolve6(host, { ttl: true }),
    ]).then(([four, six]) => {
      clearTimeout(timer);
      return toAnswer(host, four, six);
    });
    return { answer, cancel: () => resolver.cancel() };
  };
}

/** One family is enough: the other one's silence is not held against the name. */
function toAnswer(
  host: string,
  four: PromiseSettledResult<RecordWithTtl[]>,
  six: PromiseSettledResult<RecordWithTtl[]>,
): LookupAnswer {
  const records = [...recordsOf(four), ...recordsOf(six)];
  if (records.length > 0) {
    const addresses = records.map(({ address }) => ({ address, family: address.includes(':') ? 6 : 4 }));
    return { addresses, ttlMs: Math.min(...records.map(({ ttl }) => ttl)) * 1000 };
  }
  const isUnknown = [four, six].every((one) => one.status === 'rejected' && NO_SUCH_NAME.has(one.reason?.code));
  throw lookupError(isUnknown ? 'ENOTFOUND' : 'EAI_AGAIN', host);
}

function recordsOf(result: PromiseSettledResult<RecordWithTtl[]>): RecordWithTtl[] {
  return result.status === 'fulfilled' ? result.value.slice(0, MAX_ADDRESSES_OF_A_FAMILY) : [];
}

/** As getaddrinfo names them: EAI_AGAIN is what a request is sent again for. */
export function lookupError(code: 'ENOTFOUND' | 'EAI_AGAIN', host: string): Error {
  return Object.assign(new Error(`${code} ${host}`), { code });
}
