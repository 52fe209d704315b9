import type { KnownCaller } from '../policy/caller.ts';
import type { Target } from './route.ts';

/** What became known on the way, also when a step refuses: for the answer's headers and the log. */
export interface Trace {
  target: Target | undefined;
  known: KnownCaller | null;
  rateLimit: string;
  cache: 'HIT' | 'MISS' | undefined;
}
