/** What one instance may ask of the host per second and at once. Over it a call is refused, never queued. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

export interface QuotaLimits {
  /** Capability calls in flight. */
  readonly callsInFlight: number;
  /** Capability calls per second; a burst of one second is allowed. */
  readonly callsPerSecond: number;
  /**
   * Characters of message heads and bytes of parts per second, from the guest; a burst of one second is allowed, and a
   * frame is never larger. What open streams take is bounded by their credit and not counted.
   */
  readonly bytesPerSecond: number;
  /** Messages that break the contract, in the life of the instance. */
  readonly violations: number;
}

export const DEFAULT_QUOTA: QuotaLimits = {
  callsInFlight: 128,
  callsPerSecond: 5_000,
  bytesPerSecond: 16 * 1024 * 1024,
  violations: 20,
};

export class Quota {
  readonly #limits: QuotaLimits;
  readonly #now: () => number;
  #inFlight = 0;
  #calls: number;
  #bytes: number;
  #refilled: number;
  #violations = 0;

  constructor(limits: QuotaLimits = DEFAULT_QUOTA, now: () => number = performance.now.bind(performance)) {
    this.#limits = limits;
    this.#now = now;
    this.#calls = limits.callsPerSecond;
    this.#bytes = limits.bytesPerSecond;
    this.#refilled = now();
  }

  /** Runs a capability call inside the quota. @throws PlexiError QUOTA_EXCEEDED */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.#refill();
    if (this.#inFlight >= this.#limits.callsInFlight) {
      throw new PlexiError(
        'QUOTA_EXCEEDED',
        `At most ${this.#limits.callsInFlight} calls to the host may be in flight.`,
      );
    }
    if (this.#calls < 1) {
      throw new PlexiError('QUOTA_EXCEEDED', `At most ${this.#limits.callsPerSecond} calls to the host per second.`);
    }
    this.#calls -= 1;
    this.#inFlight += 1;
    try {
      return await call();
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Counts what arrived. False: the instance floods the bridge and has to go. */
  receive(bytes: number): boolean {
    this.#bytes -= bytes;
    if (this.#bytes >= 0) return true;
    this.#refill();
    return this.#bytes >= 0;
  }

  /** Takes back what turned out to be none of the guest's own doing. */
  refund(bytes: number): void {
    this.#bytes = Math.min(this.#limits.bytesPerSecond, this.#bytes + bytes);
  }

  /** Counts a message that broke the contract. False: one too many. */
  violate(): boolean {
    this.#violations += 1;
    return this.#violations <= this.#limits.violations;
  }

  #refill(): void {
    const now = this.#now();
    const seconds = Math.min(1, (now - this.#refilled) / 1000);
    this.#refilled = now;
    this.#calls = Math.min(this.#limits.callsPerSecond, this.#calls + seconds * this.#limits.callsPerSecond);
    this.#bytes = Math.min(this.#limits.bytesPerSecond, this.#bytes + seconds * this.#limits.bytesPerSecond);
  }
}
