/** One change of a module's life after the other: who asks while one is under way is told to ask again. */

import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { InTurnByKey } from '../state/in-turn.ts';

export class OneAtATime {
  readonly #turns = new InTurnByKey();

  /** @throws PlexiError MODULE_UNAVAILABLE when another change of it is under way, and whatever the work throws */
  take<Outcome>(module: string, work: () => Promise<Outcome>): Promise<Outcome> {
    if (!this.#turns.isBusy(module)) return this.wait(module, work);
    const message = `${module} is just being changed by somebody else; ask again in a moment.`;
    return Promise.reject(new PlexiError('MODULE_UNAVAILABLE', message, { headers: { 'retry-after': '3' } }));
  }

  /** For the host's own changes: behind what is under way. */
  wait<Outcome>(module: string, work: () => Promise<Outcome>): Promise<Outcome> {
    return this.#turns.take(module, work);
  }

  /** What is under way has ended. */
  idle(): Promise<void> {
    return this.#turns.idle();
  }
}
