/** What one instance may ask of the host per second and at once. Over it a call is refused, never queued. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { RateMeter } from './rate-meter.ts';

export interface QuotaLimits {
  /** Capability calls in flight. */
  readonly callsInFlight: number;
  /** Capability calls per second; a burst of one second is allowed. */
  readonly callsPerSecond: number;
  /**
   * Characters of message heads and bytes of parts per second, from the guest; a burst of one second is allowed, and a
   * frame is never larger. What open streams take is bounded by their credit and not counted. As much again may be
   * answered to its calls: what has been answered beyond that is made up for before the next call.
   */
  readonly bytesPerSecond: number;
  /** Log lines per second; more are dropped. */
  readonly linesPerSecond: number;
  /** Messages that break the contract, in the life of the instance. */
  readonly violations: number;
}

export const DEFAULT_QUOTA: QuotaLimits = {
  callsInFlight: 128,
  callsPerSecond: 5_000,
  bytesPerSecond: 16 * 1024 * 1024,
  linesPerSecond: 500,
  violations: 20,
};

/** A limit that an instance is over: `soft` is a reason to replace it when it can be spared, `hard` to end it now. */
export interface Excess {
  readonly limit: 'calls' | 'bytes' | 'lines';
  readonly kind: 'soft' | 'hard';
  readonly detail: string;
}

/** Seconds in a row over a limit after which nothing will get better by itself. */
const SOFT_SECONDS = 10;
/** Refused calls, in a second, of so many times the limit: nobody calls like that who reads the refusals. */
const HARD_CALLS = 10;
/** The same for lines, which are dropped without a word to the author's code. */
const HARD_LINES = 100;
/** Of the bytes, above which a second counts as over: at the whole of it the instance is ended at once. */
const SOFT_BYTES = 0.5;

export class Quota {
  readonly #limits: QuotaLimits;
  readonly #now: () => number;
  readonly #taken: RateMeter;
  readonly #refused: RateMeter;
  readonly #sent: RateMeter;
  readonly #lines: RateMeter;
  /** Made once: an error per refused call, with its stack, was half of what refusing costs the host. */
  readonly #tooManyAtOnce: PlexiError;
  readonly #tooManyInTime: PlexiError;
  readonly #tooMuchAnswered: PlexiError;
  #inFlight = 0;
  #calls: number;
  #bytes: number;
  #answerable: number;
  #refilled: number;
  #violations = 0;

  constructor(limits: QuotaLimits = DEFAULT_QUOTA, now: () => number = performance.now.bind(performance)) {
    this.#limits = limits;
    this.#now = now;
    this.#calls = limits.callsPerSecond;
    this.#bytes = limits.bytesPerSecond;
    this.#answerable = limits.bytesPerSecond;
    this.#refilled = now();
    this.#taken = new RateMeter(Infinity, now);
    this.#refused = new RateMeter(0, now);
    this.#sent = new RateMeter(limits.bytesPerSecond * SOFT_BYTES, now);
    this.#lines = new RateMeter(limits.linesPerSecond, now);
    const { callsInFlight, callsPerSecond } = limits;
    this.#tooManyAtOnce = tooMany(`At most ${callsInFlight} calls to the host may be in flight.`);
    this.#tooManyInTime = tooMany(`At most ${callsPerSecond} calls to the host per second.`);
    this.#tooMuchAnswered = tooMany(
      `At most ${Math.round(limits.bytesPerSecond / (1024 * 1024))} MB of answers of the host per second.`,
    );
  }

  /**
   * Runs a capability call inside the quota. What is answered at once stays so: a promise around it would be a third of
   * what such a call costs the host.
   * @throws PlexiError QUOTA_EXCEEDED
   */
  run<T>(call: () => Promise<T> | T): Promise<T> | T {
    this.#refill();
    this.#taken.add();
    if (this.#inFlight >= this.#limits.callsInFlight) this.#refuse(this.#tooManyAtOnce);
    if (this.#calls < 1) this.#refuse(this.#tooManyInTime);
    // Boundary: before it is asked what it answers, since that alone may be a megabyte.
    if (this.#answerable < 0) this.#refuse(this.#tooMuchAnswered);
    this.#calls -= 1;
    const answer = call();
    return answer instanceof Promise ? this.#inFlightUntil(answer) : this.#weigh(answer);
  }

  /** Counts what arrived. False: the instance floods the bridge and has to go. */
  receive(bytes: number): boolean {
    this.#sent.add(bytes);
    this.#bytes -= bytes;
    if (this.#bytes >= 0) return true;
    this.#refill();
    return this.#bytes >= 0;
  }

  /** Counts what a call was answered, unless that is a text: those are counted here. */
  answered(characters: number): void {
    this.#answerable -= characters;
  }

  /** Takes back what turned out to be none of the guest's own doing. */
  refund(bytes: number): void {
    // Never more than was counted: what arrived may have been cheaper than it usually is.
    const counted = Math.min(bytes, this.#sent.total);
    this.#sent.add(-counted);
    this.#bytes = Math.min(this.#limits.bytesPerSecond, this.#bytes + counted);
  }

  /** Counts a log line. False: it is one too many in this second, and is to be dropped. */
  admitLine(): boolean {
    this.#lines.add();
    return this.#lines.count <= this.#limits.linesPerSecond;
  }

  /** Counts a message that broke the contract. False: one too many. */
  violate(): boolean {
    this.#violations += 1;
    return this.#violations <= this.#limits.violations;
  }

  /** Since the instance began. */
  get totals(): { readonly calls: number; readonly bytes: number; readonly lines: number } {
    return { calls: this.#taken.total, bytes: this.#sent.total, lines: this.#lines.total };
  }

  /** The worst limit that the instance is over, if any. To be asked several times a second. */
  excess(): Excess | undefined {
    const { callsPerSecond, linesPerSecond } = this.#limits;
    if (this.#refused.count > HARD_CALLS * callsPerSecond) {
      return { limit: 'calls', kind: 'hard', detail: `${this.#refused.count} calls were refused in one second` };
    }
    if (this.#lines.count > HARD_LINES * linesPerSecond) {
      return { limit: 'lines', kind: 'hard', detail: `${this.#lines.count} log lines in one second` };
    }
    return (
      sustained('calls', this.#refused, 'calls were refused') ??
      sustained('lines', this.#lines, 'log lines were dropped') ??
      sustained('bytes', this.#sent, 'it sent more than half of what it may')
    );
  }

  async #inFlightUntil<T>(answer: Promise<T>): Promise<T> {
    this.#inFlight += 1;
    try {
      return this.#weigh(await answer);
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** At once: what is sent at the end of a turn would be counted when all of the turn's answers have been read. */
  #weigh<T>(answer: T): T {
    if (typeof answer === 'string') this.answered(answer.length);
    return answer;
  }

  #refuse(why: PlexiError): never {
    this.#refused.add();
    throw why;
  }

  #refill(): void {
    const now = this.#now();
    const seconds = Math.min(1, (now - this.#refilled) / 1000);
    this.#refilled = now;
    this.#calls = Math.min(this.#limits.callsPerSecond, this.#calls + seconds * this.#limits.callsPerSecond);
    const bytes = seconds * this.#limits.bytesPerSecond;
    this.#bytes = Math.min(this.#limits.bytesPerSecond, this.#bytes + bytes);
    this.#answerable = Math.min(this.#limits.bytesPerSecond, this.#answerable + bytes);
  }
}

function sustained(limit: Excess['limit'], { secondsOver }: RateMeter, what: string): Excess | undefined {
  if (secondsOver < SOFT_SECONDS) return undefined;
  return { limit, kind: 'soft', detail: `${what} in each of the last ${secondsOver} seconds` };
}

function tooMany(message: string): PlexiError {
  return new PlexiError('QUOTA_EXCEEDED', message);
}
