/** The databases of all modules of this host: one file each, in data cells. The only way to them. */
import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { SqlAnswer, SqlStatement } from '@plexichat/sdk/protocol/capabilities/db';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { DataDeclaration, DataWork } from '../bridge/data-words.ts';
import type { DatabasePort } from '../capabilities/db.ts';
import { type CellEvents, type DataCell, Lane } from './lane.ts';
import { ModuleLine } from './module-line.ts';
import { Transaction } from './transaction.ts';
import { WorkItem } from './work-item.ts';

export interface DatabasesOptions {
  /** Made when it is missing, and closed to others. */
  readonly folder: string;
  /** @throws CellStartError */
  readonly start: (events: CellEvents) => DataCell;
  /** Of one statement. */
  readonly deadlineMs: number;
  /** From BEGIN to COMMIT. */
  readonly transactionMs: number;
  readonly onBlame: (module: string, why: string) => void;
  readonly onTrouble: (words: string) => void;
}

/** For a turn, under load. */
const PATIENCE_MS = 10_000;
/** A migration, and those before it. */
const OPEN_PATIENCE_MS = 120_000;
const SWEEP_MS = 250;
const FILE_ENDS = ['', '-wal', '-shm', '-journal'] as const;
/** Who holds up others so often in a window of that length lives apart, too. */
const SLOW_TIMES = 5;
const SLOW_WINDOW_MS = 30_000;
/** A module that lived apart without a fault comes back to the others after that. */
const APART_MS = 60_000;

export class Databases implements DatabasePort {
  readonly #options: DatabasesOptions;
  readonly #lines = new Map<string, ModuleLine>();
  readonly #transactions = new Map<string, Transaction>();
  readonly #shared: Lane;
  /** For modules whose statements had to be killed: they hold up each other only. */
  readonly #apart: Lane;
  readonly #suspects = new Set<string>();
  /** How often a module held up others, in this window. */
  readonly #slow = new Map<ModuleLine, number>();
  #windowEnds = 0;
  readonly #sweep: NodeJS.Timeout;
  #blamedAt = 0;
  #isReturning = false;
  #isClosed = false;

  constructor(options: DatabasesOptions) {
    this.#options = options;
    this.#shared = this.#lane();
    this.#apart = this.#lane();
    this.#sweep = setInterval(() => this.#tidy(), SWEEP_MS).unref();
  }

  /** Creates and migrates the tables of a module. @throws PlexiError that says what would be lost, or what went wrong */
  async declare(module: string, declaration: DataDeclaration): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    const previous = this.#lines.get(module);
    if (isDeepStrictEqual(previous?.declaration, declaration)) return;
    const line = new ModuleLine(module, declaration, previous?.penalty);
    try {
      await this.#do(line, { op: 'open', declaration }, OPEN_PATIENCE_MS);
    } catch (error) {
      // Who used it until now goes on with the tables that there are.
      this.#laneOf(line).dismiss(line);
      throw error;
    }
    this.#lines.set(module, line);
    if (previous === undefined) return;
    // The cell closed the old connection, and rolled back what was open in it.
    this.#lose(previous);
    this.#fail(previous.clear(), 'The module’s database was opened anew.');
    this.#laneOf(previous).dismiss(previous);
  }

  /** @throws PlexiError */
  async run(module: string, statements: readonly SqlStatement[]): Promise<readonly SqlAnswer[]> {
    return this.#do(this.#lineOf(module), { op: 'run', statements, inside: false, retried: false });
  }

  /** @param signal when it fires the transaction is rolled back. @throws PlexiError */
  async begin(module: string, signal: AbortSignal): Promise<string> {
    const line = this.#lineOf(module);
    const id = randomUUID();
    const transaction = new Transaction({
      line,
      signal,
      deadlineMs: this.#options.transactionMs,
      rollback: () => this.#rollback(line),
      onGone: () => this.#transactions.delete(id),
    });
    try {
      await this.#do(line, { op: 'begin' });
    } catch (error) {
      transaction.failed();
      throw error;
    }
    if (this.#lines.get(module) !== line) {
      transaction.failed();
      this.#rollback(line);
      throw unavailable('The module’s database was opened anew.');
    }
    this.#transactions.set(id, transaction);
    transaction.begun();
    return id;
  }

  /** @throws PlexiError */
  async inside(module: string, id: string, statements: readonly SqlStatement[]): Promise<readonly SqlAnswer[]> {
    const transaction = this.#openTransaction(module, id);
    return this.#do(transaction.line, { op: 'run', statements, inside: true, retried: false });
  }

  /** @throws PlexiError */
  async end(module: string, id: string, how: 'commit' | 'rollback'): Promise<void> {
    const transaction = this.#openTransaction(module, id);
    this.#transactions.delete(id);
    transaction.end();
    await this.#do(transaction.line, { op: how });
  }

  /** The module is gone, and its database goes with it. Call when nothing of it runs any more. */
  async forget(module: string): Promise<void> {
    const line = this.#lines.get(module);
    if (line !== undefined) {
      this.#lines.delete(module);
      this.#lose(line);
      this.#fail(line.clear(), 'The module was removed.');
      this.#laneOf(line).dismiss(line);
    }
    // A cell that has it open writes to a file that nobody finds any more, until the name is declared anew.
    for (const end of FILE_ENDS) await rm(join(this.#options.folder, `${module}.db${end}`), { force: true });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#sweep);
    for (const line of this.#lines.values()) this.#fail(line.clear(), 'The host is being stopped.');
    await Promise.all([this.#shared.close(), this.#apart.close()]);
    for (const transaction of [...this.#transactions.values()]) transaction.lost();
  }

  #lane(): Lane {
    return new Lane({
      start: this.#options.start,
      deadlineMs: this.#options.deadlineMs,
      onBlame: (line, why) => this.#blame(line, why),
      onSlow: (line) => this.#noteSlow(line),
      onLost: (line) => this.#lose(line),
      onTrouble: this.#options.onTrouble,
    });
  }

  #do(line: ModuleLine, work: DataWork, patienceMs = PATIENCE_MS): Promise<readonly SqlAnswer[]> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw unavailable('The host is being stopped.');
      const item = new WorkItem({
        module: line.module,
        work,
        expires: Date.now() + patienceMs,
        settle: (outcome) => (outcome instanceof PlexiError ? reject(outcome) : resolve(outcome)),
      });
      line.add(item);
      this.#laneOf(line).serve(line);
    });
  }

  #laneOf(line: ModuleLine): Lane {
    return this.#suspects.has(line.module) ? this.#apart : this.#shared;
  }

  #lineOf(module: string): ModuleLine {
    const line = this.#lines.get(module);
    if (line !== undefined) return line;
    throw new PlexiError(
      'DATABASE_ERROR',
      'The module has no database: config.yaml needs database.enabled: true, and tables under database.tables.',
    );
  }

  /** Boundary: a number that another module was given opens nothing here. */
  #openTransaction(module: string, id: string): Transaction {
    const transaction = this.#transactions.get(id);
    if (transaction === undefined || transaction.line.module !== module) {
      throw new PlexiError(
        'DATABASE_TIMEOUT',
        `There is no such transaction any more: it took longer than ${this.#options.transactionMs / 1000} s, or the database process was started anew. It was rolled back.`,
      );
    }
    return transaction;
  }

  #rollback(line: ModuleLine): void {
    this.#do(line, { op: 'rollback' }).catch(() => {
      // The cell is gone, and the transaction with it.
    });
  }

  #lose(line: ModuleLine): void {
    for (const transaction of [...this.#transactions.values()]) if (transaction.line === line) transaction.lost();
  }

  #blame(line: ModuleLine, why: string): void {
    line.penalty.kill();
    if (line.penalty.waitMs > 0) this.#fail(line.clear(), 'Statements of this module had to be killed several times.');
    this.#blamedAt = Date.now();
    this.#options.onBlame(line.module, why);
    if (this.#suspects.has(line.module)) return;
    this.#suspects.add(line.module);
    this.#shared.dismiss(line);
    // In a later turn: what it had on its way is put back first.
    setImmediate(() => this.#apart.serve(line));
  }

  #noteSlow(line: ModuleLine): void {
    if (this.#suspects.has(line.module)) return;
    const times = (this.#slow.get(line) ?? 0) + 1;
    this.#slow.set(line, times);
    if (times >= SLOW_TIMES) line.isHeld = true;
  }

  #moveApart(line: ModuleLine): void {
    this.#shared.dismiss(line);
    this.#suspects.add(line.module);
    this.#blamedAt = Date.now();
    line.isHeld = false;
    this.#apart.serve(line);
  }

  #tidy(): void {
    const now = Date.now();
    if (now >= this.#windowEnds) {
      this.#slow.clear();
      this.#windowEnds = now + SLOW_WINDOW_MS;
    }
    for (const line of this.#lines.values()) {
      this.#fail(line.expire(now), TOO_LONG);
      if (line.isHeld && line.isStill) this.#moveApart(line);
    }
    if (this.#suspects.size === 0 || this.#isReturning || now - this.#blamedAt < APART_MS || !this.#apart.isIdle)
      return;
    this.#isReturning = true;
    void this.#bringBack().finally(() => {
      this.#isReturning = false;
    });
  }

  /** Two processes must not have one file open. */
  async #bringBack(): Promise<void> {
    await this.#apart.rest();
    for (const module of [...this.#suspects]) {
      const line = this.#lines.get(module);
      if (line !== undefined && !line.isIdle) continue;
      if (line !== undefined) this.#apart.dismiss(line);
      this.#suspects.delete(module);
    }
  }

  #fail(items: readonly WorkItem[], message: string): void {
    for (const item of items) item.fail('DATABASE_UNAVAILABLE', message);
  }
}

const TOO_LONG =
  'The database did not get to this in time. If a transaction is open: inside of it use its own "tx", not this.db.';

function unavailable(message: string): PlexiError {
  return new PlexiError('DATABASE_UNAVAILABLE', message);
}
