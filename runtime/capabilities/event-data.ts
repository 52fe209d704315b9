/** The data of an event as the host keeps it. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { MAX_EVENT_DATA, MAX_EVENT_DEPTH } from '@plexichat/sdk/protocol/event-names';
import { nestsDeeperThan } from '@plexichat/sdk/protocol/json-depth';

/**
 * Boundary: what goes on to other modules is JSON that this host wrote, never a guest's own text.
 * @throws PlexiError INVALID_CALL
 */
export function rewriteEventData(caller: string, text: string): string {
  const refuse = (problem: string): never => {
    throw new PlexiError('INVALID_CALL', `${caller}: the data ${problem}.`);
  };
  if (nestsDeeperThan(text, MAX_EVENT_DEPTH)) refuse(`nests deeper than ${MAX_EVENT_DEPTH} levels`);
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return refuse('is not valid JSON');
  }
  const written = JSON.stringify(data);
  // A short number may be a long one when it is written out (1e20), and so may a lone surrogate.
  if (written.length > MAX_EVENT_DATA) {
    refuse(`has ${written.length} characters as JSON, at most ${MAX_EVENT_DATA} are allowed`);
  }
  return written;
}
