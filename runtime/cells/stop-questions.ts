/**
 * Asks a guest to stop what nobody waits for. That it takes the question at all shows that its thread yields; one that
 * does not, or that leaves too much unfinished, is ended.
 */
import type { Session } from '../bridge/session.ts';

export interface StopQuestionsOptions {
  readonly session: Session;
  /** A session that is closed takes no question. */
  readonly isAlive: () => boolean;
  /** The thread does not yield, or too much goes on in it. */
  readonly onStuck: (detail: string, reason: 'stuck' | 'cpu_budget') => void;
  /** Whether a task may still use the processor: callers who have their answer can wait for that, but not for ever. */
  readonly isTasksTurn: () => boolean;
  /** When the time of the last request is over that somebody waits for; epoch milliseconds. */
  readonly callersUntil: () => number;
}

interface Question {
  readonly isPatient: () => boolean;
  readonly onYield: () => void;
  /** Asked when the patience is at its end. */
  readonly explain: () => string;
  readonly reason?: 'stuck' | 'cpu_budget';
}

/** They are counted from 1. */
const NO_INVOCATION = 0;
/** After a cancel the guest has this long to show that it yields, and then this long to end what it is told to. */
const YIELD_GRACE_MS = 1_000;
/**
 * The same after the deadline of a request, while a task may still run. In a thread that is silent either the task
 * computes or the handler loops, and no question tells which; one whose tasks merely await answers at once. So a task
 * may compute for this long at a stretch before the requests that it holds up count more than it does, and a task that
 * waits for a day shields no loop from the charge.
 */
const TASK_PATIENCE_MS = 10_000;
/** While handlers go on after their deadline, whether the thread yields is asked again this long after it did. */
const AGAIN_MS = 5_000;
/** Handlers that still ran after their deadline; more, and the instance is recycled. */
const MAX_OVERDUE = 64;
/**
 * Calls that nobody waits for any more and whose time is not over: many clients may go away at once, which is no fault
 * of the module's, so it takes no more until some have ended.
 */
export const MAX_ABANDONED = 1024;

export class StopQuestions {
  readonly #options: StopQuestionsOptions;
  /** Calls past their deadline that the guest has not answered. */
  #overdue: string[] = [];
  #isLookedAfter = false;

  constructor(options: StopQuestionsOptions) {
    this.#options = options;
  }

  /**
   * For an invocation whose caller has been answered.
   * @param deadline of the invocation, epoch milliseconds; a client that goes away earlier shortens nobody's patience
   */
  abandon(call: string, invocation: number, why: 'deadline' | 'gone', deadline: number): void {
    const { isTasksTurn } = this.#options;
    const patientUntil = deadline + TASK_PATIENCE_MS;
    this.#ask(invocation, {
      isPatient: () => Date.now() < (isTasksTurn() ? patientUntil : deadline),
      onYield: () => {
        // What is left of its time is the handler's.
        if (why === 'deadline') this.#countIfItGoesOn(call);
        else setTimeout(() => this.#countIfItGoesOn(call), deadline - Date.now()).unref();
      },
      explain: () => explainSilence(isTasksTurn()),
    });
  }

  /** For an invocation that has used up its processor time. */
  endSpent(call: string, invocation: number): void {
    this.#ask(invocation, {
      isPatient: () => false,
      onYield: () => this.#countIfItGoesOn(call),
      explain: () => 'did not yield when a request in it had used up its processor time',
      reason: 'cpu_budget',
    });
  }

  /** For a body that has used up its processor time: only whether the thread yields. */
  endSpentStream(): void {
    this.#ask(NO_INVOCATION, {
      isPatient: () => false,
      onYield: () => {},
      explain: () => 'did not yield when a body that it sends had used up its processor time',
      reason: 'cpu_budget',
    });
  }

  /** For a task whose time is over. */
  endTask(invocation: number, name: string, onYield: () => void): void {
    this.#ask(invocation, {
      isPatient: () => false,
      onYield,
      explain: () => `task ${name} did not yield when it was asked to stop`,
    });
  }

  #ask(invocation: number, { isPatient, onYield, explain, reason = 'stuck' }: Question): void {
    const question = this.#options.session.call('cancel', invocation);
    const judge = (): void => {
      if (isPatient()) timer = setTimeout(judge, YIELD_GRACE_MS);
      else this.#options.onStuck(explain(), reason);
    };
    let timer = setTimeout(judge, YIELD_GRACE_MS);
    question.answer.then(
      () => {
        // Whatever it answers.
        clearTimeout(timer);
        onYield();
      },
      // It has ended, and the exit event says how.
      () => clearTimeout(timer),
    );
  }

  /** Only now: before its thread yielded, a handler may have waited for nothing but its turn. */
  #countIfItGoesOn(call: string): void {
    const { session } = this.#options;
    setTimeout(() => {
      if (!session.isAbandoned(call)) return;
      this.#overdue.push(call);
      if (this.#overdue.length > MAX_OVERDUE) this.#overdue = this.#overdue.filter((id) => session.isAbandoned(id));
      if (this.#overdue.length > MAX_OVERDUE) this.#endUnfinished();
      else this.#lookAfter();
    }, YIELD_GRACE_MS).unref();
  }

  /**
   * One that yielded to be asked may loop afterwards. Who is waited for may compute until its own deadline; what a task
   * computes is not told from the loop, and has its patience.
   */
  #lookAfter(): void {
    if (this.#isLookedAfter || !this.#options.isAlive()) return;
    this.#isLookedAfter = true;
    const { session, callersUntil, isTasksTurn } = this.#options;
    const patientUntil = Date.now() + TASK_PATIENCE_MS;
    this.#ask(NO_INVOCATION, {
      isPatient: () => Date.now() < Math.max(patientUntil, callersUntil()),
      onYield: () => {
        setTimeout(() => {
          this.#isLookedAfter = false;
          this.#overdue = this.#overdue.filter((id) => session.isAbandoned(id));
          if (this.#overdue.length > 0) this.#lookAfter();
        }, AGAIN_MS).unref();
      },
      explain: () => explainSilence(isTasksTurn()),
    });
  }

  #endUnfinished(): void {
    const { session, onStuck } = this.#options;
    onStuck(`left ${session.abandoned} invocations unfinished that nobody waits for`, 'stuck');
  }
}

function explainSilence(besideTask: boolean): string {
  if (!besideTask) return 'did not yield when a request in it was over';
  const seconds = TASK_PATIENCE_MS / 1_000;
  return `did not yield within ${seconds} s after the deadline of a request, while a task ran in it: one of them computes without await`;
}
