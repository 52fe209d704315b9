/** How many requests the host has in hand. What a client still sends counts apart: slow senders take no place of others. */
import { ERRORS, PlexiError } from '@plexichat/sdk/protocol/errors';

export interface Admission {
  /** Every `enter` that did not throw is followed by one `leave`. @throws PlexiError HOST_SHEDDING */
  enter(): void;
  leave(): void;
  /** Gives the place back while a body comes in. @throws PlexiError HOST_SHEDDING, and whatever `receive` throws */
  whileReceiving<Received>(receive: () => Promise<Received>): Promise<Received>;
}

export function createAdmission(maxInflight: number, maxReceiving: number): Admission {
  let inflight = 0;
  let receiving = 0;
  return {
    enter() {
      if (inflight >= maxInflight) throw shedding();
      inflight += 1;
    },
    leave() {
      inflight -= 1;
    },
    async whileReceiving(receive) {
      if (receiving >= maxReceiving) throw shedding();
      inflight -= 1;
      receiving += 1;
      try {
        const received = await receive();
        if (inflight >= maxInflight) throw shedding();
        return received;
      } finally {
        receiving -= 1;
        // Taken again in any case, since `leave` follows.
        inflight += 1;
      }
    },
  };
}

function shedding(): PlexiError {
  return new PlexiError('HOST_SHEDDING', `${ERRORS.HOST_SHEDDING.title}: too many requests at once. Try again soon.`, {
    headers: { 'retry-after': '1' },
  });
}
