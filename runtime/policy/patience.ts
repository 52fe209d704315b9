/** How long a request waits for a module's work: until its deadline, or until its client goes away. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

export interface Patience {
  /** Milliseconds since 1970, by the clock that `now` reads. */
  readonly deadline: number;
  readonly now: () => number;
  /** Fires when the client goes away. */
  readonly signal: AbortSignal | undefined;
}

/**
 * The work's outcome, or the reason why nobody waits any more; `giveUp` then ends what only this wait was for.
 * @throws PlexiError MODULE_TIMEOUT, CLIENT_CLOSED, and whatever the work throws
 */
export function waitFor<Outcome>(
  work: Promise<Outcome>,
  { deadline, now, signal }: Patience,
  giveUp: () => void = () => {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onGone);
    };
    const leave = (error: PlexiError) => {
      settle();
      reject(error);
      giveUp();
    };
    const onGone = () => leave(new PlexiError('CLIENT_CLOSED', 'The client went away.'));
    const timer = setTimeout(
      () => leave(new PlexiError('MODULE_TIMEOUT', 'The module did not finish its answer in time.')),
      Math.max(0, deadline - now()),
    );
    signal?.addEventListener('abort', onGone, { once: true });
    work.then(resolve, reject).finally(settle);
    if (signal?.aborted === true) onGone();
  });
}
