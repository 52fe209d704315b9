/** Bounds how much of something is under way at once, for each who asks. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

/** @throws PlexiError RATE_LIMITED when it is one too many */
export type AtOnce = <Value>(who: string, work: () => Promise<Value>) => Promise<Value>;

/** What never ends is forgotten then: else a queue that was lost once would lock people out for good. */
const LONGEST_MS = 60_000;

/** @param what in the plural, for people: lists of jobs */
export function createAtOnce(limit: number, what: string): AtOnce {
  const underWay = new Map<string, number>();
  const change = (who: string, by: 1 | -1): void => {
    const count = (underWay.get(who) ?? 0) + by;
    if (count === 0) underWay.delete(who);
    else underWay.set(who, count);
  };
  return async (who, work) => {
    if ((underWay.get(who) ?? 0) >= limit) {
      const message = `At most ${limit} ${what} are made at once for one operator; ask again when one is there.`;
      throw new PlexiError('RATE_LIMITED', message, { headers: { 'retry-after': '1' } });
    }
    change(who, 1);
    const place = Promise.withResolvers<void>();
    const longest = setTimeout(place.resolve, LONGEST_MS).unref();
    place.promise.then(() => {
      clearTimeout(longest);
      change(who, -1);
    });
    // The place is taken as long as the work goes on, whether or not somebody still waits for it.
    return work().finally(place.resolve);
  };
}
