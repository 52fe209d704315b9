/**
 * Charges the processor time of a thread to the invocations that were open in it. Nobody can see from outside for whom
 * a thread works, so what it used between two readings is divided among them by the time that each was open; those that
 * came and went in between count too. A body that is still being sent counts like an invocation when something of it was
 * sent in between, or nothing else was open: one that is silent has done nothing.
 */
export interface CpuAccount {
  /** The invocation, or its body, is over. */
  close(): void;
}

export interface StreamAccount extends CpuAccount {
  /** Something of it was sent. */
  progress(): void;
}

export interface CpuBudgetEvents {
  /** The budget is used up: said once. */
  readonly onSpent: (usedMs: number) => void;
  /** Asked of one that has spent all: whether it has come to its end by now. */
  readonly hasEnded: () => boolean;
  /** It went on all the same, up to the hard limit: said once, and its account is closed. */
  readonly onOverrun: (usedMs: number) => void;
}

interface Account {
  readonly openedAt: number;
  usedMs: number;
  isSpent: boolean;
  readonly events: CpuBudgetEvents;
}

interface Stream {
  usedMs: number;
  hasProgressed: boolean;
  readonly onSpent: (usedMs: number) => void;
}

/** For coming to an end, after the budget is spent: as much again, but never less than this. */
const MIN_OVERRUN_MS = 1_000;
/** Of a core, that a body may use for as long as it is sent, beside its budget. */
const STREAM_SHARE = 0.1;

export class CpuBudget {
  readonly #budgetMs: number;
  readonly #hardMs: number;
  readonly #now: () => number;
  readonly #open = new Set<Account>();
  readonly #streams = new Set<Stream>();
  /** Time that invocations were open since the last reading and are not any more. */
  #closedMs = 0;
  #readAt: number;
  #cpuMs = 0;

  constructor(budgetMs: number, now: () => number = performance.now.bind(performance)) {
    this.#budgetMs = budgetMs;
    this.#hardMs = budgetMs + Math.max(budgetMs, MIN_OVERRUN_MS);
    this.#now = now;
    this.#readAt = now();
  }

  open(events: CpuBudgetEvents): CpuAccount {
    const account: Account = { openedAt: this.#now(), usedMs: 0, isSpent: false, events };
    this.#open.add(account);
    return {
      close: () => {
        if (this.#open.delete(account)) this.#closedMs += this.#now() - Math.max(account.openedAt, this.#readAt);
      },
    };
  }

  /** @param onSpent the body has to end; its account is closed */
  openStream(onSpent: (usedMs: number) => void): StreamAccount {
    const stream: Stream = { usedMs: 0, hasProgressed: false, onSpent };
    this.#streams.add(stream);
    return {
      progress: () => {
        stream.hasProgressed = true;
      },
      close: () => void this.#streams.delete(stream),
    };
  }

  /** @param cpuMs of the thread since its start */
  read(cpuMs: number): void {
    for (const account of this.#open) if (account.isSpent && account.events.hasEnded()) this.#open.delete(account);
    const now = this.#now();
    const since = this.#readAt;
    const elapsed = now - since;
    if (elapsed <= 0) return;
    const used = Math.max(0, cpuMs - this.#cpuMs);
    let open = this.#closedMs;
    for (const { openedAt } of this.#open) open += now - Math.max(openedAt, since);
    const payers = [...this.#streams].filter(({ hasProgressed }) => hasProgressed || open === 0);
    // While nothing was open the thread worked for itself: a boot, a timer. That is nobody's.
    const rate = used / Math.max(open + payers.length * elapsed, elapsed);
    this.#cpuMs = cpuMs;
    this.#readAt = now;
    this.#closedMs = 0;
    for (const account of [...this.#open]) this.#charge(account, rate * (now - Math.max(account.openedAt, since)));
    for (const stream of payers) stream.usedMs += rate * elapsed;
    for (const stream of [...this.#streams]) this.#judgeStream(stream, elapsed);
  }

  #charge(account: Account, ms: number): void {
    account.usedMs += ms;
    const usedMs = Math.round(account.usedMs);
    if (!account.isSpent && account.usedMs > this.#budgetMs) {
      account.isSpent = true;
      account.events.onSpent(usedMs);
    }
    if (account.usedMs < this.#hardMs || account.events.hasEnded()) return;
    this.#open.delete(account);
    account.events.onOverrun(usedMs);
  }

  #judgeStream(stream: Stream, elapsed: number): void {
    stream.hasProgressed = false;
    stream.usedMs = Math.max(0, stream.usedMs - STREAM_SHARE * elapsed);
    if (stream.usedMs <= this.#budgetMs) return;
    this.#streams.delete(stream);
    stream.onSpent(Math.round(stream.usedMs));
  }
}
