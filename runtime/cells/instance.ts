/**
 * One running guest of one module version, as the host sees it: boots in a cell, answers invocations with a deadline
 * each, is drained, stopped or terminated. It never restarts itself: that is the supervisor's business.
 */
import { randomBytes } from 'node:crypto';
import type { ByteSource } from '@plexichat/sdk/protocol/body-streams';
import type { Declaration } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import {
  DescribeAnswerSchema,
  type GuestApi,
  type GuestConfig,
  LifeAnswerSchema,
} from '@plexichat/sdk/protocol/guest-api';
import type { TaskRequest } from '@plexichat/sdk/protocol/tasks';
import { Compile } from 'typebox/compile';
import type { ExitReason, ThreadReading } from '../bridge/control.ts';
import type { CallTable } from '../bridge/guard.ts';
import { Quota, type QuotaLimits } from '../bridge/quota.ts';
import { Session } from '../bridge/session.ts';
import { type InvocationFacts, OpenInvocations } from '../capabilities/open-invocations.ts';
import type { Cell } from './cell.ts';
import { explainDeclaration } from './explain-declaration.ts';
import { IdleWork } from './idle-work.ts';
import { type HandlerCall, Invocations } from './invocations.ts';
import { type LimitBreach, SoftLimits } from './soft-limits.ts';
import type { TaskLimits } from './supervise-task.ts';

export interface InstanceOptions {
  readonly cell: Cell;
  readonly module: string;
  readonly code: Uint8Array;
  /** A Manifest whose secrets were taken out. */
  readonly manifest: unknown;
  readonly memoryMb: number;
  /** Processor time that one invocation may use; undefined: without a limit. */
  readonly cpuMs?: number | undefined;
  readonly quota?: QuotaLimits;
  readonly diagnostics: boolean;
  /** Capabilities, bound to this instance. */
  readonly calls: (session: () => Session, quota: Quota, invocations: OpenInvocations) => CallTable;
  readonly onViolation: (reason: string) => void;
  /** It is over a soft limit: said again several times a second while that is so. */
  readonly onSoftLimit?: (breach: LimitBreach) => void;
  readonly onExit: (exit: InstanceExit) => void;
}

/** What an instance has used since it began, and what it holds now. */
export interface InstanceUsage {
  readonly cpuMs: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly delayMs: number;
  readonly calls: number;
  readonly bytes: number;
  readonly lines: number;
}

/**
 * Why a thread ended. `stuck` by the host: it did not yield after a deadline. `overdue`: it did, but a task in it had
 * not stopped after its deadline; only the host can say so.
 */
export type EndReason = ExitReason | 'overdue';

export interface InstanceExit {
  /** `cell`: the whole process died under it. */
  readonly reason: EndReason | 'cell';
  readonly detail: string;
  /** Invocations, streamed bodies and steps of its life that were running when it ended. */
  readonly inFlight: number;
  /** When it last had something of the sort; epoch milliseconds. */
  readonly lastUsed: number;
  /** Its thread could not be ended, so its cell was. */
  readonly tookCell: boolean;
  /** The host asked for it: sleep, stop, shutdown. */
  readonly expected: boolean;
}

/** The instance ended under an invocation. */
export class InstanceGone extends PlexiError {
  /** The invocation may have brought it down. */
  readonly likelyCause: boolean;

  constructor(message: string, likelyCause: boolean) {
    super('MODULE_CRASHED', message, { headers: { 'retry-after': '1' } });
    this.likelyCause = likelyCause;
  }
}

const checkLife = Compile(LifeAnswerSchema);
const checkDescribe = Compile(DescribeAnswerSchema);
/** What an event of the cell says is about the last seconds: so long must an instance have been idle by then. */
const SPIN_MS = 5_000;
const NOTHING_USED = { cpuMs: 0, heapBytes: 0, externalBytes: 0, delayMs: 0 };
/** After a terminate the thread has this long before its cell is killed. */
const KILL_GRACE_MS = 2_000;

export class Instance {
  readonly session: Session;
  /** Resolves when the thread is gone; soon after `terminate`, since a thread that resists loses its cell. */
  readonly ended: Promise<void>;
  readonly #options: InstanceOptions;
  readonly #channel: number;
  readonly #invocations: Invocations;
  readonly #quota: Quota;
  readonly #limits: SoftLimits;
  readonly #idleWork = new IdleWork();
  /** Steps of its life that are not over. */
  #steps = 0;
  #lastUsed = Date.now();
  #exit: InstanceExit | undefined;
  #expected = false;
  #isRetired = false;
  /** It would not end, so its cell was killed. */
  #resisted = false;
  #reading: ThreadReading | undefined;
  #readAt = 0;
  #terminated: { reason: EndReason; detail: string } | undefined;
  #idle: (() => void) | undefined;
  #onEnded: () => void = () => {};
  #stopping: Promise<void> | undefined;
  readonly #resolveEnded: () => void;

  constructor(options: InstanceOptions) {
    this.#options = options;
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    this.#resolveEnded = ended.resolve;
    this.#channel = options.cell.open({
      module: options.module,
      onBatch: (head, parts) => this.session.receive(head, parts),
      // One invocation alone with a thread that fell over is the likely cause.
      onStuck: (detail) => this.terminate('stuck', detail, this.#invocations.running === 1),
      onSpinning: (detail) => this.#judgeSpin(detail),
      onBloated: (detail) => this.terminate('memory', detail),
      onReading: (reading) => this.#read(reading),
      onExit: (reason, detail) => this.#ended(reason, detail),
    });
    const quota = new Quota(options.quota);
    const open = new OpenInvocations();
    this.#quota = quota;
    this.session = new Session({
      channel: this.#channel,
      outbox: options.cell.outbox,
      calls: options.calls(() => this.session, quota, open),
      quota,
      onViolation: options.onViolation,
      onFlood: (limit, detail) => this.terminate(limit, detail),
    });
    this.#limits = new SoftLimits(options.memoryMb, Date.now());
    this.#invocations = new Invocations({
      session: this.session,
      open,
      cpuMs: options.cpuMs,
      isAlive: () => this.alive,
      threadEnded: this.ended,
      endThread: (reason, detail) => this.terminate(reason, detail),
      onLeave: () => {
        this.#lastUsed = Date.now();
        if (this.busy === 0) this.#idle?.();
      },
    });
    const config: GuestConfig = {
      manifest: options.manifest,
      diagnostics: options.diagnostics,
      seed: randomBytes(32).toString('hex'),
    };
    options.cell.send(
      { op: 'start', channel: this.#channel, config: JSON.stringify(config), memoryMb: options.memoryMb },
      [options.code],
    );
  }

  get cell(): Cell {
    return this.#options.cell;
  }

  /** Invocations and streamed bodies that are not over. */
  get busy(): number {
    return this.#invocations.running + this.session.openStreams;
  }

  get alive(): boolean {
    return this.#exit === undefined && this.#terminated === undefined;
  }

  /** Whether it takes new work. */
  get serving(): boolean {
    return this.alive && !this.#isRetired;
  }

  /** When the time of the last task is over that runs in it; epoch milliseconds, 0 when none does. */
  get tasksUntil(): number {
    return this.#invocations.tasksUntil;
  }

  get usage(): InstanceUsage {
    const { cpuMs, heapBytes, externalBytes, delayMs } = this.#reading ?? NOTHING_USED;
    return { cpuMs, heapBytes, externalBytes, delayMs, ...this.#quota.totals };
  }

  /** The host has begun to take it down; what ends now ends for that. */
  get isStopping(): boolean {
    return this.#expected;
  }

  /** Loads the module's class and asks what it declares. @throws PlexiError MODULE_ERROR, MODULE_TIMEOUT, MODULE_CRASHED */
  async describe(timeoutMs: number): Promise<Declaration> {
    const answer = await this.#life('describe', timeoutMs);
    if (!checkDescribe.Check(answer)) {
      throw new PlexiError('MODULE_ERROR', `It declares something that is not valid: ${explainDeclaration(answer)}.`);
    }
    if (!answer.ok) throw moduleError(answer.message);
    return answer.declaration;
  }

  async initialize(timeoutMs: number): Promise<void> {
    this.#checkLife(await this.#life('initialize', timeoutMs));
  }

  /** Tells the module of other settings. One that takes too long goes on. @throws PlexiError as `describe` */
  async changeSettings(settings: string, timeoutMs: number): Promise<void> {
    this.#checkLife(await this.#life('changeSettings', timeoutMs, settings));
  }

  /** Calls the guest; see Invocations. */
  invoke(
    start: (invocation: number) => [request: string, data: string],
    facts: InvocationFacts,
    signal: AbortSignal | undefined,
    method: HandlerCall = 'invoke',
  ): Promise<unknown> {
    return this.#invocations.invoke(start, facts, signal, method);
  }

  /** Calls `runTask` of the guest; see Invocations. @param data JSON text */
  runTask(
    run: Omit<TaskRequest, 'invocation' | 'deadline'>,
    data: string,
    limits: TaskLimits,
    onStart?: () => void,
  ): Promise<unknown> {
    return this.#invocations.runTask(run, data, limits, onStart);
  }

  /** A body of the guest's, held to the budget of an invocation. @throws StreamViolation when it does not have it */
  readStream(id: number): ByteSource {
    return this.#invocations.meterStream(this.session.readStream(id));
  }

  /** Takes no new work from now on; whoever calls this drains and stops it. */
  retire(): void {
    this.#isRetired = true;
  }

  /** Takes new work again: nobody else does. */
  recall(): void {
    this.#isRetired = false;
  }

  /** Waits until nothing runs any more, at most `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (this.alive && this.busy > 0 && Date.now() < end) {
      // Streams end without a word to this class, so the count is looked at again in any case.
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(50, end - Date.now()));
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#idle = undefined;
  }

  /** Lets the module's `shutdown` run, then ends the thread. */
  stop(timeoutMs: number): Promise<void> {
    this.#stopping ??= this.#stop(timeoutMs);
    return this.#stopping;
  }

  async #stop(timeoutMs: number): Promise<void> {
    // One that ends already ends for what it did: that somebody stops it now excuses nothing.
    if (!this.alive) return;
    this.#expected = true;
    try {
      this.#checkLife(await this.#life('shutdown', timeoutMs));
    } catch (error) {
      this.#options.onViolation(`shutdown: ${error instanceof Error ? error.message : 'failed'}`);
    }
    this.terminate('terminated', 'stopped');
  }

  /** Ends the thread now. What it was doing fails with MODULE_CRASHED; `likelyCause`: and is not run again. */
  terminate(reason: EndReason, detail: string, likelyCause = false): void {
    if (this.#exit !== undefined || this.#terminated !== undefined) return;
    this.#terminated = { reason, detail };
    this.session.close(new InstanceGone(reason === 'stuck' ? 'It did not yield.' : 'It was ended.', likelyCause));
    if (this.#options.cell.alive) this.#options.cell.send({ op: 'terminate', channel: this.#channel });
    this.#watchEnd();
  }

  async #life(method: keyof GuestApi, timeoutMs: number, ...args: string[]): Promise<unknown> {
    const pending = this.session.callText(method, ...args);
    this.#steps += 1;
    const timer = setTimeout(() => {
      this.session.settle(pending.id, new PlexiError('MODULE_TIMEOUT', `${method} took longer than ${timeoutMs} ms.`));
      if (method !== 'changeSettings') this.terminate('stuck', `${method} took longer than ${timeoutMs} ms`);
    }, timeoutMs);
    try {
      return await pending.answer;
    } catch (error) {
      throw error instanceof InstanceGone ? await this.#explainEnd(error) : error;
    } finally {
      clearTimeout(timer);
      this.#steps -= 1;
      this.#lastUsed = Date.now();
    }
  }

  /** Why a thread ended under a step of its life is known only when it is gone. */
  async #explainEnd(error: InstanceGone): Promise<PlexiError> {
    await this.ended;
    if (this.#exit === undefined) return error;
    return new PlexiError(error.code, `${this.#exit.reason}: ${this.#exit.detail}`, { cause: error });
  }

  #read(reading: ThreadReading): void {
    if (!this.alive) return;
    this.#reading = reading;
    this.#invocations.chargeCpu(reading.cpuMs);
    const overworked = this.#idleWork.read(reading.cpuMs, Date.now(), this.#isInUse());
    this.#readAt = Date.now();
    if (overworked !== undefined) {
      this.terminate('cpu', overworked);
      return;
    }
    const breach = this.#quota.excess() ?? this.#limits.look(reading, Date.now());
    // A task may compute for as long as it declared: its own deadline ends it.
    if (breach?.limit === 'delay' && breach.kind === 'hard' && this.tasksUntil > Date.now()) return;
    if (breach?.kind === 'hard') this.terminate(breach.limit, breach.detail);
    // A loop that nobody waits for is no load to be shared: it is judged when the cell says that it spins.
    else if (breach !== undefined && (breach.limit !== 'delay' || this.busy > 0)) this.#options.onSoftLimit?.(breach);
  }

  /** Whether somebody waits for it, or did since the last reading. */
  #isInUse(): boolean {
    return this.busy > 0 || this.#steps > 0 || this.#lastUsed > this.#readAt;
  }

  /** A module may use the processor for those who wait for it; a thread that does so for nobody is ended. */
  #judgeSpin(detail: string): void {
    if (this.busy > 0 || this.#steps > 0) this.#lastUsed = Date.now();
    else if (Date.now() - this.#lastUsed > SPIN_MS) this.terminate('cpu', detail);
  }

  #checkLife(answer: unknown): void {
    if (!checkLife.Check(answer)) throw moduleError('Its answer has another shape.');
    if (!answer.ok) throw moduleError(answer.message);
  }

  /** A thread that cannot even be terminated takes its cell with it. */
  #watchEnd(): void {
    const timer = setTimeout(() => {
      if (this.#exit !== undefined) return;
      this.#resisted = true;
      this.#options.cell.kill();
    }, KILL_GRACE_MS);
    this.#onEnded = () => clearTimeout(timer);
  }

  #ended(reason: ExitReason | 'cell', detail: string): void {
    if (this.#exit !== undefined) return;
    // A cell that died because this thread could not be ended died of this thread.
    const known = reason === 'terminated' || reason === 'cell' ? this.#terminated : undefined;
    const running = this.#invocations.running;
    const exit: InstanceExit = {
      reason: known?.reason ?? reason,
      detail: known?.detail ?? detail,
      inFlight: this.busy + this.#steps,
      lastUsed: this.#lastUsed,
      tookCell: reason === 'cell' && (this.#resisted || (known !== undefined && known.reason !== 'terminated')),
      expected: this.#expected,
    };
    this.#exit = exit;
    this.#onEnded();
    // One invocation alone with a thread that fell over is the likely cause: nobody should run it again unasked.
    const likelyCause = reason !== 'cell' && reason !== 'terminated' && running === 1;
    this.session.close(new InstanceGone(reason === 'cell' ? 'Its cell ended.' : 'Its thread ended.', likelyCause));
    this.#idle?.();
    this.#options.onExit(exit);
    this.#resolveEnded();
  }
}

function moduleError(message: string): PlexiError {
  return new PlexiError('MODULE_ERROR', message);
}
