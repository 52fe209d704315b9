/**
 * Credentials that were no good, by address: each is a security event, and from a limit on the answer is 429. Who has a
 * good one is not kept out, however many others fail from the same address: a token, or a key that the host made, cannot
 * be guessed. Only keys of plexi.yaml, which are as long as their operator made them, are not looked at any more.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { LRUCache } from 'lru-cache';
import type { SecurityEventInput } from '../state/security-events.ts';
import { addressKey } from './address-key.ts';

export interface FailedLoginsOptions {
  /** So many fail in a window before the rest of it is 429. */
  readonly limit: number;
  readonly windowMs: number;
  /** At most `limit` + 1 times in a window of an address, and never with the credential. */
  readonly onFailure: (event: SecurityEventInput) => void;
  readonly now?: () => number;
  readonly maxAddresses?: number;
}

/** Where a request came from; looked at when something is wrong. */
export interface From {
  readonly address: string;
}

interface Counter {
  failures: number;
  readonly endsAt: number;
}

const MAX_ADDRESSES = 10_000;
/** An address that a proxy made up does not fill the memory. */
const MAX_ADDRESS = 64;

export class FailedLogins {
  readonly #options: FailedLoginsOptions;
  readonly #now: () => number;
  readonly #counters: LRUCache<string, Counter>;

  constructor(options: FailedLoginsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#counters = new LRUCache({ maxSize: options.maxAddresses ?? MAX_ADDRESSES, sizeCalculation: () => 1 });
  }

  /** Before something is tried that could be guessed. @throws PlexiError RATE_LIMITED */
  assertOpen(from: From): void {
    const counter = this.#counterOf(keyOf(from));
    if (counter !== undefined && counter.failures >= this.#options.limit) throw this.#tooMany(counter);
  }

  /** @param refusal what to answer below the limit @returns what to answer */
  count(from: From, what: string, refusal: PlexiError): PlexiError {
    const { limit, windowMs, onFailure } = this.#options;
    const key = keyOf(from);
    let counter = this.#counterOf(key);
    if (counter === undefined) {
      counter = { failures: 0, endsAt: this.#now() + windowMs };
      this.#counters.set(key, counter);
    }
    counter.failures += 1;
    if (counter.failures <= limit) onFailure({ kind: 'login_failed', name: what, details: `from ${key}` });
    if (counter.failures === limit) {
      const details = `from ${key}: ${limit} within ${windowMs / 1000} s`;
      onFailure({ kind: 'login_blocked', name: 'too many', details });
    }
    return counter.failures > limit ? this.#tooMany(counter) : refusal;
  }

  /** No guess, but worth knowing: somebody holds what was withdrawn. */
  tellWithdrawn(from: From, credentialId: string): void {
    const details = `${credentialId}, from ${keyOf(from)}`;
    this.#options.onFailure({ kind: 'credential_withdrawn', name: 'used all the same', details });
  }

  /** A link of the console, which counts them itself. */
  tellBadLink(from: From): void {
    const details = `unknown, used or too old, from ${keyOf(from)}`;
    this.#options.onFailure({ kind: 'login_failed', name: 'login link', details });
  }

  #counterOf(key: string): Counter | undefined {
    const counter = this.#counters.get(key);
    return counter !== undefined && this.#now() < counter.endsAt ? counter : undefined;
  }

  #tooMany({ endsAt }: Counter): PlexiError {
    const seconds = Math.max(1, Math.ceil((endsAt - this.#now()) / 1000));
    return new PlexiError(
      'RATE_LIMITED',
      `Too many credentials that are no good came from this address; try again in ${seconds} s.`,
      { headers: { 'retry-after': String(seconds) } },
    );
  }
}

function keyOf({ address }: From): string {
  return addressKey(address.slice(0, MAX_ADDRESS));
}
