/**
 * The connections of modules to the outside. Each module has pools of its own: none waits for, or finds open, what another
 * one uses. Nothing of this reads the environment: a proxy that is named there would be asked in place of the address that
 * was checked.
 */
import { Agent } from 'undici';
import { checkedLookup, type Resolver } from './address.ts';
import type { EgressTarget } from './egress-target.ts';

export interface EgressAgentOptions {
  readonly resolver: Resolver;
  /** Whether the name may lead to a private address. */
  readonly mayBePrivate: (host: string) => boolean;
  readonly ownAddresses: (() => ReadonlySet<string>) | undefined;
  readonly timeoutMs: number;
}

/** Of one module to one host and port; who comes later waits until its own deadline. */
const CONNECTIONS_PER_HOST = 16;

interface Pools {
  readonly public: Agent;
  readonly private: Agent;
  users: number;
}

export class EgressAgents {
  readonly #options: EgressAgentOptions;
  readonly #pools = new Map<string, Pools>();

  constructor(options: EgressAgentOptions) {
    this.#options = options;
  }

  /** For one instance of a module, until its signal fires. */
  open(module: string, signal: AbortSignal): (target: EgressTarget) => Agent {
    const pools = this.#pools.get(module) ?? this.#make();
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
  #make(): Pools {
    const { resolver, mayBePrivate, ownAddresses } = this.#options;
    return {
      public: this.#agent(checkedLookup(() => false, resolver, ownAddresses)),
      private: this.#agent(checkedLookup(mayBePrivate, resolver)),
      users: 0,
    };
  }

  #agent(lookup: ReturnType<typeof checkedLookup>): Agent {
    const { timeoutMs } = this.#options;
    return new Agent({
      connect: { lookup, timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connections: CONNECTIONS_PER_HOST,
      // One request at a time on each, so that the number above is what a host gets to see.
      pipelining: 1,
      allowH2: false,
    });
  }
}

async function destroy({ public: open, private: closed }: Pools): Promise<void> {
  await Promise.all([open.destroy(), closed.destroy()]);
}
