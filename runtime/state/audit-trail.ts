/**
 * Who did what, for operators, kept in the state. What somebody is about to do is on the disk before it is done, and what
 * came of it is on the disk before it is reported as done. What the host does by itself is written in batches, and never
 * costs the entries of operators their place.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import {
  type AuditAttempt,
  type AuditEnding,
  type AuditLimits,
  type AuditQuery,
  type AuditRow,
  type AuditSource,
  dropBeyond,
  insertAudit,
  plainAudit,
  readAudit,
  tidyAudit,
  updateAudit,
} from './audit-rows.ts';
import { LateAudit } from './late-audit.ts';
import type { State, Statement } from './state.ts';
import { unavailable } from './statement.ts';

export interface AuditTrailOptions {
  readonly state: State;
  /** What the host did could not be written, or what came of an action; it is tried again. */
  readonly onFailure: (error: unknown) => void;
  readonly now?: () => number;
  readonly limits?: Partial<AuditLimits>;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const LIMITS: AuditLimits = { keepMs: 365 * DAY_MS, total: 100_000, perModule: 1_000, perMinute: 60 };
const WINDOW_MS = 60_000;
const FLUSH_MS = 1_000;
const TIDY_MS = 60 * 60 * 1000;
const TIDY_AFTER_ROWS = 1_000;
/** Rows and outcomes that wait for a state that is away. */
const MAX_PENDING = 5_000;
/** Another host may have taken the same id. */
const MAX_TRIES = 20;

interface Window {
  readonly endsAt: number;
  rows: number;
  more: number;
}

export class AuditTrail {
  readonly #options: AuditTrailOptions;
  readonly #limits: AuditLimits;
  readonly #now: () => number;
  /** Of modules, for what the host does. */
  readonly #windows = new Map<string, Window>();
  #pending: AuditRow[] = [];
  readonly #late = new LateAudit();
  /** Of actions that are over: what came of them, by id. */
  #outcomes = new Map<number, Statement>();
  #lastId: number | undefined;
  #isFailing = false;
  #lastTidy = 0;
  #written = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: AuditTrailOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#now = options.now ?? Date.now;
  }

  /**
   * Before an operator's action. @returns its id, for `end`
   * @throws PlexiError STATE_UNAVAILABLE: then it is not to be done
   */
  begin(attempt: AuditAttempt): Promise<number> {
    return this.#insert(attempt, 'operator', 'started');
  }

  /**
   * Before an action that is done although `begin` was refused: it waits in memory. Never throws, waits for nothing.
   * @returns takes in what came of it
   */
  beginLate(attempt: AuditAttempt): (ending: AuditEnding) => void {
    const entry = this.#late.begin(attempt, this.#now());
    this.#schedule();
    return (ending) => {
      if (entry === undefined) return;
      const left = this.#late.end(entry, ending);
      if (left !== undefined && entry.id !== undefined) this.#outcomes.set(entry.id, left);
      this.#schedule();
    };
  }

  /** @throws PlexiError STATE_UNAVAILABLE: it is written later, as soon as that is possible */
  async end(id: number, ending: AuditEnding): Promise<void> {
    const statement = updateAudit(id, ending);
    try {
      await this.#options.state.run([statement]);
    } catch (error) {
      if (this.#outcomes.size < MAX_PENDING) this.#outcomes.set(id, statement);
      this.#schedule();
      throw error;
    }
  }

  /** Something that is over, such as a login. @throws PlexiError STATE_UNAVAILABLE */
  async write(attempt: AuditAttempt, outcome: string): Promise<void> {
    await this.#insert(attempt, 'operator', outcome);
  }

  /** What the host noticed or did by itself. Never throws, waits for nothing; one module costs so many rows a minute. */
  note(attempt: AuditAttempt, outcome: string): void {
    const window = this.#windowOf(attempt.module ?? '');
    if (window.rows >= this.#limits.perMinute || this.#pending.length >= MAX_PENDING) window.more += 1;
    else {
      window.rows += 1;
      this.#keep(attempt, outcome);
    }
    this.#schedule();
  }

  /** Newest first. @throws PlexiError STATE_UNAVAILABLE */
  async list(query: AuditQuery): Promise<AuditRow[]> {
    await this.#flush();
    return readAudit(this.#options.state, query);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#endWindows(Number.POSITIVE_INFINITY);
    await this.#flush();
    clearTimeout(this.#timer);
  }

  async #insert(attempt: AuditAttempt, source: AuditSource, outcome: string): Promise<number> {
    const at = this.#now();
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const row = { ...plainAudit(attempt), id: await this.#nextId(at), at, source, outcome };
      const [inserted] = await this.#options.state.run([insertAudit(row), ...this.#tidyWhenDue(at)]);
      this.#written += 1;
      if (inserted?.changes === 1) return row.id;
      this.#lastId = undefined;
    }
    throw unavailable('other hosts write to the audit trail at the same time');
  }

  #windowOf(module: string): Window {
    const known = this.#windows.get(module);
    if (known !== undefined && this.#now() < known.endsAt) return known;
    if (known !== undefined) this.#endWindow(module, known);
    const window = { endsAt: this.#now() + WINDOW_MS, rows: 0, more: 0 };
    this.#windows.set(module, window);
    return window;
  }

  #endWindow(module: string, { more }: Window): void {
    this.#windows.delete(module);
    if (more > 0) this.#keep({ action: 'more', module, details: { more, within_seconds: WINDOW_MS / 1000 } }, 'done');
  }

  #endWindows(now: number): void {
    for (const [module, window] of this.#windows) if (now >= window.endsAt) this.#endWindow(module, window);
  }

  #keep(attempt: AuditAttempt, outcome: string): void {
    const row = { ...plainAudit(attempt), id: 0, at: this.#now(), source: 'host' as const, outcome };
    if (this.#pending.length < MAX_PENDING) this.#pending.push(row);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#tick(), FLUSH_MS).unref();
  }

  #tick(): void {
    this.#timer = undefined;
    this.#endWindows(this.#now());
    void this.#flush().finally(() => {
      const isNeeded =
        this.#late.size > 0 || this.#pending.length > 0 || this.#outcomes.size > 0 || this.#windows.size > 0;
      if (isNeeded) this.#schedule();
    });
  }

  #flush(): Promise<void> {
    // One after the other: what operators did is not held up by a row of a module that cannot be written.
    this.#writing = this.#writing.then(() => this.#writeLate()).then(() => this.#write());
    return this.#writing;
  }

  async #writeLate(): Promise<void> {
    if (this.#late.size === 0) return;
    const entries = this.#late.take();
    const rows: AuditRow[] = [];
    try {
      for (const { row } of entries) rows.push({ ...row, id: await this.#nextId(row.at) });
      const results = await this.#options.state.run(rows.map(insertAudit));
      this.#isFailing = false;
      this.#written += rows.length;
      const lost = entries.filter((_entry, index) => results[index]?.changes === 0);
      for (const [index, entry] of entries.entries()) {
        const row = rows[index];
        if (row === undefined || lost.includes(entry)) continue;
        entry.id = row.id;
        if (entry.row.outcome !== row.outcome) this.#outcomes.set(row.id, updateAudit(row.id, entry.row));
      }
      if (lost.length === 0) return;
      this.#lastId = undefined;
      this.#late.putBack(lost);
      this.#schedule();
    } catch (error) {
      this.#failed(error);
      if (error instanceof PlexiError) this.#late.putBack(entries);
    }
  }

  async #write(): Promise<void> {
    const [rows, outcomes] = [this.#pending, this.#outcomes];
    if (rows.length === 0 && outcomes.size === 0) return;
    this.#pending = [];
    this.#outcomes = new Map();
    try {
      const numbered: AuditRow[] = [];
      for (const row of rows) numbered.push({ ...row, id: await this.#nextId(row.at) });
      const modules = new Set(numbered.flatMap(({ module }) => module ?? []));
      const results = await this.#options.state.run([
        ...numbered.map(insertAudit),
        ...outcomes.values(),
        ...[...modules].map((module) => dropBeyond(module, this.#limits.perModule)),
        ...this.#tidyWhenDue(this.#now()),
      ]);
      this.#written += rows.length;
      const lost = rows.filter((_row, index) => results[index]?.changes === 0);
      if (lost.length > 0) {
        this.#lastId = undefined;
        this.#putBack(lost, new Map());
      }
      this.#isFailing = false;
    } catch (error) {
      this.#failed(error);
      // What is wrong with a row will be wrong again; a state that is away comes back.
      if (error instanceof PlexiError) this.#putBack(rows, outcomes);
    }
  }

  #failed(error: unknown): void {
    if (!this.#isFailing) this.#options.onFailure(error);
    this.#isFailing = true;
  }

  #putBack(rows: readonly AuditRow[], outcomes: ReadonlyMap<number, Statement>): void {
    this.#pending = [...rows, ...this.#pending].slice(0, MAX_PENDING);
    this.#outcomes = new Map([...outcomes, ...this.#outcomes]);
  }

  #tidyWhenDue(now: number): Statement[] {
    if (now < this.#lastTidy + TIDY_MS && this.#written < TIDY_AFTER_ROWS) return [];
    this.#lastTidy = now;
    this.#written = 0;
    return tidyAudit(now, this.#limits);
  }

  /** By the clock, with room for a thousand a millisecond; never twice, also when the clock was set back. */
  async #nextId(at: number): Promise<number> {
    if (this.#lastId === undefined) {
      const [row] = await this.#options.state.query('SELECT MAX(id) AS id FROM audit');
      this.#lastId ??= Number(row?.id ?? 0);
    }
    this.#lastId = Math.max(this.#lastId + 1, at * 1000 + Math.floor(Math.random() * 1000));
    return this.#lastId;
  }
}
