/**
 * One data cell and those who are served by it, in turn. The cell does one thing at a time, so whoever was sent first
 * and has no answer is who it works for: at the deadline that one is to blame, and the others are served by the next.
 */
import type { DataReply, DataRequest } from '../bridge/data-words.ts';
import { CellStartError } from '../cells/spawn-process.ts';
import type { ModuleLine } from './module-line.ts';
import type { WorkItem } from './work-item.ts';

/** The cell, as a lane needs it. */
export interface DataCell {
  send(request: DataRequest): void;
  kill(): void;
  close(): Promise<void>;
}

export interface CellEvents {
  readonly onReply: (reply: DataReply, results: readonly string[]) => void;
  readonly onEnd: (words: string) => void;
}

export interface LaneOptions {
  /** @throws CellStartError */
  readonly start: (events: CellEvents) => DataCell;
  readonly deadlineMs: number;
  /** The cell was killed, or died, at a statement of that module; called before its other work is sent anew. */
  readonly onBlame: (line: ModuleLine, why: string) => void;
  /** A statement of that module took long while others waited. */
  readonly onSlow: (line: ModuleLine) => void;
  /** What was open in the cell for that module is gone. */
  readonly onLost: (line: ModuleLine) => void;
  /** The cell cannot be started, or does not live. */
  readonly onTrouble: (words: string) => void;
}

interface Flight {
  readonly line: ModuleLine;
  /** Undefined: the file is opened for what comes next. */
  readonly item: WorkItem | undefined;
  readonly deadlineMs: number;
}

/** Beyond one on its way, more only keep the cell from waiting for the host. */
const MAX_FLIGHTS = 4;
const WATCH_MS = 50;
/** Others notice that. */
const SLOW_MS = 250;
/** All statements of one call may take so many times what one may: others wait for the cell meanwhile. */
const CALL_FACTOR = 2;
/** A table may have to be copied. */
const OPEN_MS = 30_000;
const START_MS = 15_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export class Lane {
  readonly #options: LaneOptions;
  /** In the order in which they are served. */
  readonly #lines = new Set<ModuleLine>();
  readonly #flights = new Map<number, Flight>();
  #opened = new Set<string>();
  #cell: DataCell | undefined;
  #isReady = false;
  #lastId = 0;
  /** When whatever the cell works at now can have begun at the earliest. */
  #since = 0;
  /** The same for all statements of one call. */
  #callSince = 0;
  #watch: NodeJS.Timeout | undefined;
  #pause: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosing = false;
  /** Why the cell is being killed. */
  #verdict: string | undefined;
  /** Who took all the memory of the cell, which gets no new work and leaves when it has done what it has. */
  #exhaustedBy: ModuleLine | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#flights.size === 0 && [...this.#lines].every((line) => line.isIdle);
  }

  /** Call when a line may have got work. */
  serve(line: ModuleLine): void {
    this.#lines.add(line);
    this.#pump();
  }

  /** Its work is done elsewhere from now on. Only when nothing of it is on its way. */
  dismiss(line: ModuleLine): void {
    this.#lines.delete(line);
    // Its tables may have changed when it comes back.
    this.#opened.delete(line.module);
  }

  /** Ends the cell; a new one is started when there is work again. */
  async rest(): Promise<void> {
    const cell = this.#cell;
    if (cell === undefined) return;
    this.#isClosing = true;
    await cell.close();
    this.#isClosing = false;
    this.#pump();
  }

  async close(): Promise<void> {
    clearTimeout(this.#pause);
    this.#isClosing = true;
    await this.#cell?.close();
    clearInterval(this.#watch);
  }

  #pump(): void {
    if (this.#isClosing) return;
    if (this.#exhaustedBy !== undefined) {
      if (this.#flights.size === 0) void this.#cell?.close();
      return;
    }
    while (this.#flights.size < MAX_FLIGHTS) {
      const line = this.#next();
      if (line === undefined || !this.#ensureCell() || !this.#isReady) return;
      this.#lines.delete(line);
      this.#lines.add(line);
      const item = line.take();
      if (item === undefined) return;
      if (!this.#opened.has(line.module) && item.work.op !== 'open') this.#open(line);
      this.#send(line, item, item.work.op === 'open' ? OPEN_MS : this.#options.deadlineMs);
    }
  }

  /** Boundary: in turn, so that a module with a thousand calls waits behind one with a single one. */
  #next(): ModuleLine | undefined {
    for (const line of this.#lines) if (line.hasWork) return line;
    return undefined;
  }

  #open(line: ModuleLine): void {
    this.#opened.add(line.module);
    const id = this.#take({ line, item: undefined, deadlineMs: OPEN_MS });
    this.#cell?.send({ id, module: line.module, op: 'open', declaration: line.declaration });
  }

  #send(line: ModuleLine, item: WorkItem, deadlineMs: number): void {
    if (item.work.op === 'open') this.#opened.add(line.module);
    const id = this.#take({ line, item, deadlineMs });
    this.#cell?.send(item.toRequest(id));
  }

  #take(flight: Flight): number {
    if (this.#flights.size === 0) {
      this.#since = performance.now();
      this.#callSince = this.#since;
    }
    this.#lastId += 1;
    this.#flights.set(this.#lastId, flight);
    return this.#lastId;
  }

  #ensureCell(): boolean {
    if (this.#cell !== undefined) return true;
    if (this.#pause !== undefined) return false;
    try {
      const cell: DataCell = this.#options.start({
        onReply: (reply, results) => this.#onReply(reply, results),
        onEnd: (words) => this.#onEnd(words),
      });
      this.#cell = cell;
      this.#since = performance.now();
      this.#callSince = this.#since;
      this.#watch ??= setInterval(() => this.#look(), WATCH_MS).unref();
      return true;
    } catch (error) {
      if (!(error instanceof CellStartError)) throw error;
      this.#pauseStarts(error.message);
      return false;
    }
  }

  #onReply([id, isLast, answers, isExhausted]: DataReply, results: readonly string[]): void {
    const now = performance.now();
    const tookMs = now - this.#since;
    this.#since = now;
    if (id === 0) {
      this.#isReady = true;
      this.#failures = 0;
      this.#pump();
      return;
    }
    const flight = this.#flights.get(id);
    const [first] = this.#flights.keys();
    // Boundary: answers come in order; a cell that says otherwise is not the program that was started.
    if (flight === undefined || first !== id) {
      this.#kill('was answered out of turn');
      return;
    }
    const { line, item } = flight;
    if (isExhausted) this.#exhaustedBy ??= line;
    if (tookMs > SLOW_MS && [...this.#lines].some((other) => other !== line && !other.isIdle))
      this.#options.onSlow(line);
    if (isLast) {
      this.#flights.delete(id);
      this.#callSince = now;
    }
    const hasFailed = answers.some((answer) => typeof answer !== 'string');
    if (isLast) {
      if (item !== undefined) line.done(item.work.op === 'begin' ? !hasFailed : undefined);
      if (hasFailed && (item === undefined || item.work.op === 'open')) this.#opened.delete(line.module);
    }
    if (item?.take(isLast, answers, results) === false) {
      item.fail('DATABASE_UNAVAILABLE', LOST);
      this.#kill('was answered in another shape');
    } else if (isLast) {
      this.#pump();
    }
  }

  #look(): void {
    if (this.#cell === undefined) return;
    const [flight] = this.#flights.values();
    const limitMs = this.#isReady ? flight?.deadlineMs : START_MS;
    const isLate = (): boolean =>
      limitMs !== undefined &&
      (performance.now() - this.#since > limitMs || performance.now() - this.#callSince > CALL_FACTOR * limitMs);
    if (!isLate()) return;
    // An answer may lie in the socket: this process may have been busy itself.
    setImmediate(() => {
      const [now] = this.#flights.values();
      if (limitMs === undefined || now !== flight || !isLate()) return;
      this.#kill(this.#isReady ? `took longer than ${limitMs / 1000} s` : 'did not start in time');
    });
  }

  #kill(why: string): void {
    this.#verdict ??= why;
    this.#cell?.kill();
  }

  #onEnd(words: string): void {
    const why = this.#verdict;
    const flights = [...this.#flights.values()];
    const wasReady = this.#isReady;
    const exhaustedBy = this.#exhaustedBy;
    this.#exhaustedBy = undefined;
    this.#cell = undefined;
    this.#isReady = false;
    this.#verdict = undefined;
    this.#opened = new Set();
    this.#flights.clear();
    clearInterval(this.#watch);
    this.#watch = undefined;
    if (this.#isClosing) {
      for (const { item } of flights) item?.fail('DATABASE_UNAVAILABLE', LOST);
      return;
    }
    for (const line of this.#lines) {
      for (const item of line.lose()) item.fail('DATABASE_UNAVAILABLE', LOST);
      this.#options.onLost(line);
    }
    if (!wasReady) this.#pauseStarts(why ?? words);
    else if (flights.length > 0) this.#settle(flights, why, words);
    else if (exhaustedBy !== undefined) this.#options.onBlame(exhaustedBy, 'took all the memory of the data cell');
    else this.#options.onTrouble(words);
    this.#pump();
  }

  #settle(flights: readonly Flight[], why: string | undefined, words: string): void {
    const [guilty] = flights;
    if (guilty !== undefined) {
      guilty.item?.fail(why === undefined ? 'DATABASE_UNAVAILABLE' : 'DATABASE_TIMEOUT', wordsFor(why));
      this.#options.onBlame(guilty.line, why ?? words);
    }
    // The last is put back first, so that they come in the old order.
    for (const { line, item } of flights.slice(1).reverse()) {
      if (item === undefined || item.settled) continue;
      if (!item.repeatable || item.retried) item.fail('DATABASE_UNAVAILABLE', LOST);
      else {
        item.retry();
        line.putBack(item);
      }
    }
  }

  #pauseStarts(words: string): void {
    this.#options.onTrouble(words);
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#pump();
    }, pauseMs).unref();
  }
}

const LOST =
  'The database process had to be started anew while this was under way: nothing of a transaction remains. Try again.';

function wordsFor(why: string | undefined): string {
  return why === undefined
    ? 'The database process ended while it worked at this: it needs too much memory. Ask for less at once.'
    : `The statement ${why} and was killed. Does it need an index, or a LIMIT? What it changes may be done or not.`;
}
