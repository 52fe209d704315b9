/** The refusal of a module that cannot answer now, with the time after which asking again makes sense. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

export function unavailable(what: string, retryAfterMs: number, cause?: unknown): PlexiError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new PlexiError('MODULE_UNAVAILABLE', `The module ${what}.`, {
    headers: { 'retry-after': String(seconds) },
    cause,
  });
}
