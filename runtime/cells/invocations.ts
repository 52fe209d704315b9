/** What runs in one instance: requests with a deadline each, and tasks; how each of them ends when it has to. */
import type { ByteSource } from '@plexichat/sdk/protocol/body-streams';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { TaskRequest } from '@plexichat/sdk/protocol/tasks';
import type { PendingCall } from '../bridge/caller.ts';
import type { Session } from '../bridge/session.ts';
import type { InvocationFacts, OpenInvocations } from '../capabilities/open-invocations.ts';
import { type CpuAccount, CpuBudget } from './cpu-budget.ts';
import { MAX_ABANDONED, StopQuestions } from './stop-questions.ts';
import { superviseTask, type TaskLimits } from './supervise-task.ts';
import { type Waiting, WaitingCallers } from './waiting.ts';

/** Calls of the guest that run a handler, and whose caller gets an answer by the deadline in any case. */
export type HandlerCall = 'invoke' | 'event' | 'callMethod';

export interface InvocationsOptions {
  readonly session: Session;
  /** Told of all that runs, for the capabilities. */
  readonly open: OpenInvocations;
  /** Of one invocation; undefined: without a limit. */
  readonly cpuMs: number | undefined;
  readonly isAlive: () => boolean;
  readonly threadEnded: Promise<void>;
  readonly endThread: (reason: 'stuck' | 'overdue' | 'cpu_budget', detail: string) => void;
  /** One more is over. */
  readonly onLeave: () => void;
}

export class Invocations {
  readonly #options: InvocationsOptions;
  readonly #waiting = new WaitingCallers();
  readonly #questions: StopQuestions;
  readonly #cpu: CpuBudget | undefined;
  /** Tasks that run; each may use the processor until its deadline. */
  readonly #tasks = new Set<{ readonly deadline: number }>();
  #running = 0;
  #last = 0;

  constructor(options: InvocationsOptions) {
    this.#options = options;
    this.#cpu = options.cpuMs === undefined ? undefined : new CpuBudget(options.cpuMs);
    this.#questions = new StopQuestions({
      session: options.session,
      isAlive: options.isAlive,
      onStuck: (detail, reason) => options.endThread(reason, detail),
      isTasksTurn: () => this.tasksUntil > Date.now(),
      callersUntil: () => this.#waiting.until,
    });
  }

  get running(): number {
    return this.#running;
  }

  /** @param cpuMs of the thread since its start */
  chargeCpu(cpuMs: number): void {
    this.#cpu?.read(cpuMs);
  }

  /**
   * Calls `invoke` of the guest, its `event` or its `callMethod`. Settles at the latest at the deadline, once; a guest that
   * does not yield by then is terminated, which settles everything else that it was doing.
   */
  async invoke(
    start: (invocation: number) => [request: string, body: string],
    facts: InvocationFacts,
    signal: AbortSignal | undefined,
    method: HandlerCall = 'invoke',
  ): Promise<unknown> {
    const { open } = this.#options;
    const { deadline } = facts;
    if (this.#options.session.abandoned >= MAX_ABANDONED) throw tooManyAbandoned();
    const invocation = ++this.#last;
    const pending = this.#options.session.callText(method, ...start(invocation));
    const waiting: Waiting = {
      deadline,
      signal,
      place: -1,
      giveUp: (reason) => this.#giveUp(pending, invocation, reason, deadline),
    };
    this.#running += 1;
    open.open(invocation, facts);
    this.#waiting.add(waiting);
    let isSpent = false;
    const account = this.#openAccount(
      (usedMs) => {
        isSpent = true;
        this.#waiting.delete(waiting);
        this.#endSpent(pending, invocation, usedMs);
      },
      () => !this.#options.session.isAbandoned(pending.id),
    );
    try {
      return await pending.answer;
    } finally {
      open.close(invocation);
      this.#waiting.delete(waiting);
      // One that has spent all and goes on is charged until it ends, or is ended.
      if (!isSpent) account?.close();
      this.#leave();
    }
  }

  /**
   * Calls `runTask` of the guest. Settles only when the handler has settled or the thread is gone; a thread whose task
   * does not stop after its deadline is ended.
   * @param data JSON text
   * @throws PlexiError TASK_TIMEOUT, CLIENT_CLOSED, or an InstanceGone when the thread ended under it
   */
  async runTask(
    run: Omit<TaskRequest, 'invocation' | 'deadline'>,
    data: string,
    limits: TaskLimits,
    onStart?: () => void,
  ): Promise<unknown> {
    const { session, isAlive, endThread, threadEnded, cpuMs = 0 } = this.#options;
    const invocation = ++this.#last;
    const request: TaskRequest = { ...run, invocation, deadline: Date.now() + limits.timeoutMs };
    onStart?.();
    const { answer } = session.callText('runTask', JSON.stringify(request), data);
    this.#running += 1;
    this.#tasks.add(request);
    this.#options.open.open(invocation, request);
    const spent = new AbortController();
    const account = this.#openAccount(
      () => spent.abort(),
      () => false,
    );
    try {
      const running = {
        name: run.task,
        answer,
        threadEnded,
        budget: { ms: cpuMs, spent: spent.signal },
        askToStop: (onYield: () => void) => {
          if (isAlive()) this.#questions.endTask(invocation, run.task, onYield);
        },
        endThread: (why: string) => endThread('overdue', why),
      };
      return await superviseTask(running, limits);
    } finally {
      this.#tasks.delete(request);
      this.#options.open.close(invocation);
      account?.close();
      this.#leave();
    }
  }

  /** A body that the guest makes while it is read: it has a budget of its own, and ends when that is spent. */
  meterStream(source: ByteSource): ByteSource {
    let failure: PlexiError | undefined;
    const account = this.#cpu?.openStream((usedMs) => {
      failure = spentAll(usedMs, this.#options.cpuMs ?? 0);
      source.cancel();
      if (this.#options.isAlive()) this.#questions.endSpentStream();
    });
    if (account === undefined) return source;
    return {
      async read() {
        try {
          const chunk = failure === undefined ? await source.read() : undefined;
          if (failure !== undefined) throw failure;
          if (chunk === undefined) account.close();
          else account.progress();
          return chunk;
        } catch (error) {
          account.close();
          throw failure ?? error;
        }
      },
      cancel() {
        account.close();
        source.cancel();
      },
    };
  }

  #leave(): void {
    this.#running -= 1;
    this.#options.onLeave();
  }

  #openAccount(onSpent: (usedMs: number) => void, hasEnded: () => boolean): CpuAccount | undefined {
    const { cpuMs, endThread } = this.#options;
    return this.#cpu?.open({
      onSpent,
      hasEnded,
      onOverrun: (usedMs) => endThread('cpu_budget', `an invocation used ${usedMs} ms of the processor of ${cpuMs} ms`),
    });
  }

  /** Answers the caller now, and asks the guest to stop. */
  #giveUp(call: PendingCall, invocation: number, why: 'deadline' | 'gone', deadline: number): void {
    const { session, isAlive } = this.#options;
    session.settle(call.id, why === 'gone' ? clientClosed() : timedOut());
    if (isAlive()) this.#questions.abandon(call.id, invocation, why, deadline);
  }

  /** The same for one that has used up its processor time: its deadline is now, and no task shields it. */
  #endSpent(call: PendingCall, invocation: number, usedMs: number): void {
    const { session, isAlive, cpuMs } = this.#options;
    session.settle(call.id, spentAll(usedMs, cpuMs ?? 0));
    if (isAlive()) this.#questions.endSpent(call.id, invocation);
  }

  /** When the time of the last task is over that runs; epoch milliseconds, 0 when none does. */
  get tasksUntil(): number {
    let until = 0;
    for (const { deadline } of this.#tasks) until = Math.max(until, deadline);
    return until;
  }
}

function timedOut(): PlexiError {
  return new PlexiError('MODULE_TIMEOUT', 'The module did not answer before the deadline.');
}

function spentAll(usedMs: number, budgetMs: number): PlexiError {
  const found = `used ${usedMs} ms of processor time, its budget is ${budgetMs} ms (runtime.cpu_ms)`;
  return new PlexiError('MODULE_TIMEOUT', `The module did not answer in time: this request ${found}.`);
}

function tooManyAbandoned(): PlexiError {
  const message = 'The module still works for clients that went away; try again in a moment.';
  return new PlexiError('MODULE_OVERLOADED', message, { headers: { 'retry-after': '1' } });
}

function clientClosed(): PlexiError {
  return new PlexiError('CLIENT_CLOSED', 'The client went away.');
}
