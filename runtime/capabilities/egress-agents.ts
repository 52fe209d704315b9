/**
 * The connections of modules to the outside. Each module has pools of its own: none waits for, or finds open, what another
 * one uses. Nothing of this reads the environment: a proxy that is named there would be asked in place of the address that
 * was checked.
 */
import { Agent, buildConnector, Pool } from 'undici';
import { checkedLookup, type Resolver } from './address.ts';
import { askNameServers } from './egress-lookup.ts';
import { EgressNames, type ModuleNames } from './egress-names.ts';
import { EgressSockets, SOCKET_LIMITS, type SocketLimits } from './egress-sockets.ts';
import type { EgressTarget } from './egress-target.ts';

export interface EgressAgentOptions {
  /** Absent: names as the machine has them. */
  readonly resolver: Resolver | undefined;
  /** Addresses; absent: those of the operating system. */
  readonly nameServers: readonly string[] | undefined;
  /** Whether the name may lead to a private address. */
  readonly mayBePrivate: (host: string) => boolean;
  readonly ownAddresses: (() => ReadonlySet<string>) | undefined;
  readonly timeoutMs: number;
  readonly limits?: SocketLimits;
  readonly keepAliveMs?: number;
}

/** Of one module to one host and port; who comes later waits until its own deadline. */
const CONNECTIONS_PER_HOST = 16;
/** Whatever the other side says: how long the host keeps something open is not for it to decide. */
const KEEP_ALIVE_MS = 4_000;
/** For one of the connections of a module to come free. */
const MAX_WAIT_MS = 5_000;
/** An origin goes with its last connection; those that wait for one have theirs too. */
const MAX_ORIGINS = 4 * SOCKET_LIMITS.ofModule;

interface Pools {
  readonly public: Agent;
  readonly private: Agent;
  readonly names: ModuleNames;
  users: number;
}

export class EgressAgents {
  readonly #options: EgressAgentOptions;
  readonly #pools = new Map<string, Pools>();
  readonly #names: EgressNames;
  readonly #sockets: EgressSockets;

  constructor(options: EgressAgentOptions) {
    this.#options = options;
    this.#names = new EgressNames({ ask: askNameServers(options.nameServers) });
    this.#sockets = new EgressSockets(Math.min(options.timeoutMs, MAX_WAIT_MS), options.limits);
  }

  /** For one instance of a module, until its signal fires. */
  open(module: string, signal: AbortSignal): (target: EgressTarget) => Agent {
    const pools = this.#pools.get(module) ?? this.#make(module);
    this.#pools.set(module, pools);
    pools.users += 1;
    signal.addEventListener(
      'abort',
      () => {
        pools.users -= 1;
        if (pools.users > 0) return;
        this.#pools.delete(module);
        void destroy(pools);
      },
      { once: true },
    );
    return (target) => (target.mayBePrivate ? pools.private : pools.public);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map(destroy));
  }

  /** Two, so that a connection to a private address is never used again for a request that may not have one. */
  #make(module: string): Pools {
    const names = this.#names.open();
    const { resolver = names.resolve, mayBePrivate, ownAddresses } = this.#options;
    return {
      public: this.#agent(
        module,
        checkedLookup(() => false, resolver, ownAddresses),
      ),
      private: this.#agent(module, checkedLookup(mayBePrivate, resolver)),
      names,
      users: 0,
    };
  }

  #agent(module: string, lookup: ReturnType<typeof checkedLookup>): Agent {
    const { timeoutMs, keepAliveMs = KEEP_ALIVE_MS } = this.#options;
    const connect = buildConnector({ lookup, timeout: timeoutMs, allowH2: false });
    const factory = this.#sockets.factory(module, connect);
    return new Agent({
      factory: (origin, options) => new Pool(origin, { ...options, factory }),
      maxOrigins: MAX_ORIGINS,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connections: CONNECTIONS_PER_HOST,
      // One request at a time on each, so that the number above is what a host gets to see.
      pipelining: 1,
      allowH2: false,
    });
  }
}

async function destroy({ public: open, private: closed, names }: Pools): Promise<void> {
  names.close();
  await Promise.all([open.destroy(), closed.destroy()]);
}
