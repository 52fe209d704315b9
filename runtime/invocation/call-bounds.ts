/**
 * How much modules may ask of each other at once and in a second. Counted per module, all of its threads together: a
 * circle of calls that hides from the count of its depth ends here.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

/** Calls of one module that are not answered. */
const MAX_OF_CALLER = 64;
/** Of those, to one other module. */
const MAX_OF_PAIR = 32;
/** Steps of checking and of parsing that one module's calls may cost the host, per second; a burst of one second. */
const WORK_PER_SECOND = 8_000_000;

export interface CallPlace {
  /** Counts what the host did for this call. */
  spend(work: number): void;
  leave(): void;
}

interface Account {
  inFlight: number;
  readonly to: Map<string, number>;
  work: number;
  refilled: number;
}

export class CallBounds {
  readonly #accounts = new Map<string, Account>();
  readonly #now: () => number;

  constructor(now: () => number = performance.now.bind(performance)) {
    this.#now = now;
  }

  /** @throws PlexiError MODULE_OVERLOADED, QUOTA_EXCEEDED */
  enter(from: string, to: string): CallPlace {
    const account = this.#accounts.get(from) ?? {
      inFlight: 0,
      to: new Map(),
      work: WORK_PER_SECOND,
      refilled: this.#now(),
    };
    this.#accounts.set(from, account);
    this.#refill(account);
    const ofPair = account.to.get(to) ?? 0;
    if (account.inFlight >= MAX_OF_CALLER) throw overloaded(`${MAX_OF_CALLER} calls of ${from} are under way`);
    if (ofPair >= MAX_OF_PAIR) throw overloaded(`${MAX_OF_PAIR} calls of ${from} to ${to} are under way`);
    if (account.work <= 0) {
      throw new PlexiError(
        'QUOTA_EXCEEDED',
        `Checking the calls of ${from} takes too much work; call less, or send less.`,
      );
    }
    account.inFlight += 1;
    account.to.set(to, ofPair + 1);
    let isOver = false;
    return {
      spend: (work) => {
        account.work -= work;
      },
      leave: () => {
        if (isOver) return;
        isOver = true;
        account.inFlight -= 1;
        const left = (account.to.get(to) ?? 1) - 1;
        if (left === 0) account.to.delete(to);
        else account.to.set(to, left);
        this.#refill(account);
        if (account.inFlight === 0 && account.work >= WORK_PER_SECOND) this.#accounts.delete(from);
      },
    };
  }

  #refill(account: Account): void {
    const now = this.#now();
    const seconds = Math.max(0, now - account.refilled) / 1000;
    account.refilled = now;
    account.work = Math.min(WORK_PER_SECOND, account.work + seconds * WORK_PER_SECOND);
  }
}

function overloaded(why: string): PlexiError {
  return new PlexiError('MODULE_OVERLOADED', `Modules call each other too much: ${why}; wait for some of them.`, {
    headers: { 'retry-after': '1' },
  });
}
