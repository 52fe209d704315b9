/**
 * What waits for one module's database: first come, first served, except that nothing but a transaction's own
 * statements is served while one is open. Bounded.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { DataDeclaration } from '../bridge/data-words.ts';
import { Penalty } from './penalty.ts';
import type { WorkItem } from './work-item.ts';

/** Calls that wait, and what they hold. */
const MAX_WAITING = 512;
const MAX_WAITING_CHARACTERS = 16 * 1024 * 1024;
/** On their way at once: enough that the cell does not wait for the host. */
const MAX_IN_FLIGHT = 2;

export class ModuleLine {
  readonly module: string;
  readonly declaration: DataDeclaration;
  /** Of the module, whatever its tables are. */
  readonly penalty: Penalty;
  /** It is to be served elsewhere: nothing new is taken until it is still. */
  isHeld = false;
  #waiting: WorkItem[] = [];
  #inside: WorkItem[] = [];
  #characters = 0;
  #inFlight = 0;
  /** A BEGIN was sent, and no COMMIT or ROLLBACK yet. */
  #isOpen = false;

  constructor(module: string, declaration: DataDeclaration, penalty = new Penalty()) {
    this.module = module;
    this.declaration = declaration;
    this.penalty = penalty;
  }

  get hasWork(): boolean {
    if (this.isHeld && !this.#isOpen) return false;
    return this.#inFlight < MAX_IN_FLIGHT && (this.#isOpen ? this.#inside : this.#waiting).length > 0;
  }

  /** Nothing of it is on its way, and no transaction is open. */
  get isStill(): boolean {
    return !this.#isOpen && this.#inFlight === 0;
  }

  get isIdle(): boolean {
    return this.isStill && this.#waiting.length === 0 && this.#inside.length === 0;
  }

  /** @throws PlexiError QUOTA_EXCEEDED, DATABASE_UNAVAILABLE */
  add(item: WorkItem): void {
    const waitMs = this.penalty.waitMs;
    if (waitMs > 0 && item.work.op !== 'rollback') {
      const seconds = Math.ceil(waitMs / 1000);
      throw new PlexiError(
        'DATABASE_UNAVAILABLE',
        `Statements of this module had to be killed several times; its database is available again in ${seconds} s.`,
      );
    }
    // What ends a transaction always finds room: there is one at most.
    const mayWait = item.work.op === 'commit' || item.work.op === 'rollback';
    const count = this.#waiting.length + this.#inside.length;
    if (!mayWait && (count >= MAX_WAITING || this.#characters + item.size > MAX_WAITING_CHARACTERS)) {
      throw new PlexiError(
        'QUOTA_EXCEEDED',
        `Too much waits for the database: at most ${MAX_WAITING} calls of ${MAX_WAITING_CHARACTERS} characters in all.`,
      );
    }
    this.#characters += item.size;
    this.#lineOf(item).push(item);
  }

  /** In front of all others. */
  putBack(item: WorkItem): void {
    this.#characters += item.size;
    this.#waiting.unshift(item);
  }

  take(): WorkItem | undefined {
    if (!this.hasWork) return undefined;
    const item = (this.#isOpen ? this.#inside : this.#waiting).shift();
    if (item === undefined) return undefined;
    this.#characters -= item.size;
    const { op } = item.work;
    if (op === 'begin') this.#isOpen = true;
    else if (op === 'commit' || op === 'rollback') this.#isOpen = false;
    this.#inFlight += 1;
    return item;
  }

  /** One that was taken is done. A transaction that could not begin is not open. */
  done(isOpen: boolean | undefined): void {
    this.#inFlight -= 1;
    if (isOpen !== undefined) this.#isOpen = isOpen;
  }

  /** The cell is gone, and what was open with it. @returns what waited for a transaction that is no more */
  lose(): readonly WorkItem[] {
    const lost = this.#inside;
    this.#inside = [];
    this.#inFlight = 0;
    this.#isOpen = false;
    for (const { size } of lost) this.#characters -= size;
    return lost;
  }

  /** Takes out what nobody waits for any more. */
  expire(now: number): readonly WorkItem[] {
    const late = [...this.#waiting, ...this.#inside].filter(
      // What ends a transaction always gets its turn: without it nothing else of the module would ever get one.
      ({ expires, work }) => expires <= now && work.op !== 'rollback' && work.op !== 'commit',
    );
    if (late.length === 0) return late;
    const gone = new Set(late);
    this.#waiting = this.#waiting.filter((item) => !gone.has(item));
    this.#inside = this.#inside.filter((item) => !gone.has(item));
    for (const { size } of late) this.#characters -= size;
    return late;
  }

  /** Everything, at the end. */
  clear(): readonly WorkItem[] {
    const all = [...this.#waiting, ...this.#inside];
    this.#waiting = [];
    this.#inside = [];
    this.#characters = 0;
    return all;
  }

  #lineOf({ work }: WorkItem): WorkItem[] {
    const isInside = work.op === 'commit' || work.op === 'rollback' || (work.op === 'run' && work.inside);
    return isInside ? this.#inside : this.#waiting;
  }
}
