/**
 * The names that modules ask for. Each module has a few lookups at once and a memory of its own, so that a name whose
 * servers are silent costs the module that was granted it, and nobody else.
 */
import { LRUCache } from 'lru-cache';
import type { ResolvedAddress, Resolver } from './address.ts';
import { createLocalNames, type LocalNames } from './egress-hosts.ts';
import { type AskNameServers, askNameServers, type Lookup, lookupError } from './egress-lookup.ts';
import { Turns } from './egress-turns.ts';

export interface EgressNameOptions {
  /** Absent: the name servers of the operating system. */
  readonly ask?: AskNameServers;
  readonly local?: LocalNames;
}

export interface ModuleNames {
  readonly resolve: Resolver;
  /** Calls off what is under way. */
  close(): void;
}

/** Under way at once. The others of the host wait for at most the lookups before them, of which each module has two. */
export const LOOKUPS_OF_A_MODULE = 2;
export const LOOKUPS_OF_THE_HOST = 64;
/** Different names, under way or in line. */
export const MAX_NAMES_ASKED = 64;
const MAX_WAIT_MS = 5_000;

const MAX_NAMES_KEPT = 100;
/** Short, whatever the name's owner says: a service that moved is found again. */
const KEEP_FOUND_MS = 5_000;
const KEEP_UNKNOWN_MS = 2_000;

export class EgressNames {
  readonly #ask: AskNameServers;
  readonly #local: LocalNames;
  readonly #turns = new Turns(LOOKUPS_OF_THE_HOST);

  constructor({ ask = askNameServers(), local = createLocalNames() }: EgressNameOptions = {}) {
    this.#ask = ask;
    this.#local = local;
  }

  /** For one module. */
  open(): ModuleNames {
    return new NamesOfModule(this.#ask, this.#local, this.#turns);
  }
}

/** A name that is not there is kept as its error. */
type Kept = readonly ResolvedAddress[] | Error;

class NamesOfModule implements ModuleNames {
  readonly #ask: AskNameServers;
  readonly #local: LocalNames;
  readonly #turnsOfHost: Turns;
  readonly #turns = new Turns(LOOKUPS_OF_A_MODULE);
  readonly #kept = new LRUCache<string, Kept>({
    max: MAX_NAMES_KEPT,
    ttlResolution: 0,
    perf: { now: () => performance.now() },
  });
  /** Equal names are asked for once. */
  readonly #asked = new Map<string, Promise<readonly ResolvedAddress[]>>();
  readonly #lookups = new Set<Lookup>();
  #isClosed = false;

  constructor(ask: AskNameServers, local: LocalNames, turnsOfHost: Turns) {
    this.#ask = ask;
    this.#local = local;
    this.#turnsOfHost = turnsOfHost;
  }

  readonly resolve: Resolver = async (host) => {
    const local = await this.#local(host);
    if (local !== undefined) return local;
    const kept = this.#kept.get(host);
    if (kept instanceof Error) throw kept;
    if (kept !== undefined) return kept;
    const asked = this.#asked.get(host);
    if (asked !== undefined) return asked;
    if (this.#asked.size >= MAX_NAMES_ASKED) throw lookupError('EAI_AGAIN', host);
    const asking = this.#inTurn(host).finally(() => this.#asked.delete(host));
    this.#asked.set(host, asking);
    return asking;
  };

  close(): void {
    this.#isClosed = true;
    for (const lookup of this.#lookups) lookup.cancel();
  }

  async #inTurn(host: string): Promise<readonly ResolvedAddress[]> {
    const giveBack = await this.#turns.take(MAX_WAIT_MS);
    const giveBackToHost = giveBack && (await this.#turnsOfHost.take(MAX_WAIT_MS));
    try {
      if (giveBackToHost === undefined || this.#isClosed) throw lookupError('EAI_AGAIN', host);
      return await this.#lookUp(host);
    } finally {
      giveBackToHost?.();
      giveBack?.();
    }
  }

  async #lookUp(host: string): Promise<readonly ResolvedAddress[]> {
    const lookup = this.#ask(host);
    this.#lookups.add(lookup);
    try {
      const { addresses, ttlMs } = await lookup.answer;
      // To the library, 0 is for ever.
      if (ttlMs > 0) this.#kept.set(host, addresses, { ttl: Math.min(ttlMs, KEEP_FOUND_MS) });
      return addresses;
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOTFOUND')
        this.#kept.set(host, error as Error, { ttl: KEEP_UNKNOWN_MS });
      throw error;
    } finally {
      this.#lookups.delete(lookup);
    }
  }
}
