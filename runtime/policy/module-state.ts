/** Which states of a module take requests, and what a client is told about the others. No reason of the operator's leaks. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { ModuleState } from '../modules/served-module.ts';

const REFUSALS: Readonly<Record<ModuleState, { readonly words: string; readonly retryAfterS: number } | null>> = {
  running: null,
  sleeping: null,
  starting: null,
  // Its supervisor decides whether it comes back in time.
  crashed: null,
  // It falls asleep, and a request wakes it again; one that is being stopped refuses by itself.
  draining: null,
  // The version before serves until the operator has said yes.
  upgrade_pending: null,
  installed: { words: 'is installed, but waits for its operator', retryAfterS: 300 },
  stopped: { words: 'is stopped', retryAfterS: 60 },
  disabled: { words: 'is disabled', retryAfterS: 300 },
  parked: { words: 'failed too often and was parked', retryAfterS: 300 },
  failed: { words: 'could not be loaded', retryAfterS: 300 },
};

export function isServable(state: ModuleState): boolean {
  return REFUSALS[state] === null;
}

/** @throws PlexiError MODULE_UNAVAILABLE */
export function assertServable(name: string, state: ModuleState): void {
  const refusal = REFUSALS[state];
  if (refusal === null) return;
  throw new PlexiError('MODULE_UNAVAILABLE', `The module ${name} ${refusal.words}.`, {
    headers: { 'retry-after': String(refusal.retryAfterS) },
  });
}
