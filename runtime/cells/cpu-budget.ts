/**
 * Charges the processor time of a thread to the invocations that were open in it. Nobody can see from outside for whom
 * a thread works, so what it used between two readings is divided among them by the time that each was open; those that
 * came and went in between count too.
 */
export interface CpuAccount {
  /** The invocation is over. */
  close(): void;
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
  openedAt: number;
  usedMs: number;
  isSpent: boolean;
  readonly events: CpuBudgetEvents;
}

/** For coming to an end, after the budget is spent: as much again, but never less than this. */
const MIN_OVERRUN_MS = 1_000;

export class CpuBudget {
  readonly #budgetMs: number;
  readonly #hardMs: number;
  readonly #now: () => number;
  readonly #open = new Set<Account>();
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

  /** @param cpuMs of the thread since its start */
  read(cpuMs: number): void {
    for (const account of this.#open) if (account.isSpent && account.events.hasEnded()) this.#open.delete(account);
    const now = this.#now();
    const used = Math.max(0, cpuMs - this.#cpuMs);
    let total = this.#closedMs;
    for (const { openedAt } of this.#open) total += now - Math.max(openedAt, this.#readAt);
    const since = this.#readAt;
    this.#cpuMs = cpuMs;
    this.#readAt = now;
    this.#closedMs = 0;
    if (total <= 0) return;
    for (const account of [...this.#open]) {
      account.usedMs += (used * (now - Math.max(account.openedAt, since))) / total;
      this.#judge(account);
    }
  }

  #judge(account: Account): void {
    const usedMs = Math.round(account.usedMs);
    if (!account.isSpent && account.usedMs > this.#budgetMs) {
      account.isSpent = true;
      account.events.onSpent(usedMs);
    }
    if (account.usedMs < this.#hardMs || account.events.hasEnded()) return;
    this.#open.delete(account);
    account.events.onOverrun(usedMs);
  }
}
