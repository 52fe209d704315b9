/**
 * Asks a guest to stop what nobody waits for. That it takes the question at all shows that its thread yields; one that
 * does not, or that leaves too much unfinished, is ended.
 */
import type { Session } from '../bridge/session.ts';

export interface StopQuestionsOptions {
  readonly session: Session;
  /** The thread does not yield. */
  readonly onStuck: (detail: string) => void;
  /** Whether a task may still use the processor: callers who have their answer can wait for that. */
  readonly isTasksTurn: () => boolean;
}

/** After a cancel the guest has this long to show that it yields. */
const YIELD_GRACE_MS = 1_000;
/** Handlers that still ran after their deadline; more, and the instance is recycled. */
const MAX_OVERDUE = 64;
/** The same with those whose client went away: many clients may do that at once, and it is no fault of the module's. */
const MAX_ABANDONED = 1024;

export class StopQuestions {
  readonly #options: StopQuestionsOptions;
  /** Calls past their deadline that the guest has not answered. */
  #overdue: string[] = [];

  constructor(options: StopQuestionsOptions) {
    this.#options = options;
  }

  /** For an invocation whose caller has been answered. */
  abandon(call: string, invocation: number, why: 'deadline' | 'gone'): void {
    const { session, onStuck, isTasksTurn } = this.#options;
    this.#ask(invocation, 'did not yield after its deadline', isTasksTurn);
    if (why === 'deadline') this.#overdue.push(call);
    if (this.#overdue.length > MAX_OVERDUE) this.#overdue = this.#overdue.filter((id) => session.isAbandoned(id));
    if ((this.#overdue.length > MAX_OVERDUE && !isTasksTurn()) || session.abandoned > MAX_ABANDONED) {
      onStuck(`left ${session.abandoned} invocations unfinished that nobody waits for`);
    }
  }

  /** For a task whose time is over. */
  endTask(invocation: number, name: string, onYield: () => void): void {
    this.#ask(invocation, `task ${name} did not yield when it was asked to stop`, () => false, onYield);
  }

  #ask(invocation: number, detail: string, isPatient: () => boolean, onYield?: () => void): void {
    const question = this.#options.session.call('cancel', invocation);
    const judge = (): void => {
      if (isPatient()) timer = setTimeout(judge, YIELD_GRACE_MS);
      else this.#options.onStuck(detail);
    };
    let timer = setTimeout(judge, YIELD_GRACE_MS);
    question.answer.then(
      () => {
        // Whatever it answers.
        clearTimeout(timer);
        onYield?.();
      },
      // It has ended, and the exit event says how.
      () => clearTimeout(timer),
    );
  }
}
