/**
 * The guest's calls of the host, in the words of Comlink's contract. Written by hand, as the host's own are
 * (runtime/bridge/caller.ts): the random text that Comlink makes up for each call was half of what a call costs a guest.
 */
import type { WireMessage } from './channel.ts';

export interface HostCalls {
  /** Rejects only when the call cannot be sent; what the host answers is a CallResult. */
  call(capability: string, method: string, args: readonly unknown[]): Promise<unknown>;
  reply(message: WireMessage): void;
}

interface Waiting {
  readonly id: string;
  readonly resolve: (value: unknown) => void;
}

/** The module may replace what it can reach: what is needed later is kept. */
const { parseInt: toInteger } = Number;

/** @param post throws when the message is more than the host takes */
export function createHostCalls(post: (message: object) => void): HostCalls {
  /** Places for the calls under way, used again and again. */
  const places: (Waiting | undefined)[] = [];
  const free: number[] = [];
  let freeCount = 0;
  let lastPlace = -1;
  let last = 0;

  const take = (id: string): Waiting | undefined => {
    const place = toInteger(id, 10);
    const waiting = places[place];
    if (waiting?.id !== id) return undefined;
    places[place] = undefined;
    free[freeCount++] = place;
    return waiting;
  };

  return {
    call(capability, method, args) {
      return new Promise((resolve) => {
        const argumentList: unknown[] = [];
        for (let index = 0; index < args.length; index++) argumentList[index] = { type: 'RAW', value: args[index] };
        const place = freeCount > 0 ? (free[freeCount - 1] ?? 0) : lastPlace + 1;
        const id = `${place}.${last + 1}`;
        post({ id, type: 'APPLY', path: [capability, method], argumentList });
        if (freeCount > 0) freeCount -= 1;
        else lastPlace += 1;
        last += 1;
        places[place] = { id, resolve };
      });
    },
    reply({ id, value }) {
      if (typeof id === 'string') take(id)?.resolve(value);
    },
  };
}
