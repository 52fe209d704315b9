/**
 * What modules tried and may not do, and what they report themselves, for operators. Whatever a module does, it costs a
 * bounded number of rows a minute, and never the rows of another module, nor its own of another kind.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { SecurityEvent, SecurityEventKind } from './security-event.ts';
import { SecurityEventQueue, type WaitingEvent } from './security-event-queue.ts';
import { dropBeyond, insert, type SecurityEventBounds, tidyUp } from './security-event-rows.ts';
import type { State } from './state.ts';

export type SecurityEventInput = Pick<SecurityEvent, 'kind' | 'name' | 'details'>;

export interface SecurityEventQuery {
  readonly module?: string | undefined;
  /** Only those with a smaller id. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export interface SecurityEventsOptions {
  readonly state: State;
  /** Once for each row that is kept. */
  readonly onEvent: (event: SecurityEvent) => void;
  readonly onFailure: (error: unknown) => void;
  readonly now?: () => number;
  readonly limits?: Partial<SecurityEventLimits>;
}

export interface SecurityEventLimits extends SecurityEventBounds {
  /** Rows of one kind that one module may cause. */
  readonly perMinute: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const LIMITS: SecurityEventLimits = {
  perMinute: 20,
  perKind: 500,
  firstOfKind: 100,
  total: 50_000,
  totalReported: 10_000,
  keepMs: 90 * DAY_MS,
};
const WINDOW_MS = 60_000;
const FLUSH_MS = 1_000;
const TIDY_MS = 60 * 60 * 1000;
const MAX_NAME = 200;
const MAX_DETAILS = 2_000;

interface Window {
  readonly module: string;
  readonly kind: SecurityEventKind;
  readonly endsAt: number;
  rows: number;
  /** Not kept as rows of their own. */
  more: number;
}

export class SecurityEvents {
  readonly #options: SecurityEventsOptions;
  readonly #limits: SecurityEventLimits;
  readonly #now: () => number;
  /** By module and kind. */
  readonly #windows = new Map<string, Window>();
  #pending = new SecurityEventQueue();
  #lastId: number | undefined;
  #isFailing = false;
  #lastTidy = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: SecurityEventsOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#now = options.now ?? Date.now;
  }

  /** Boundary: names and details may be a module's own words. Never throws, waits for nothing. */
  record(module: string, { kind, name, details }: SecurityEventInput): void {
    const at = this.#now();
    const window = this.#windowOf(module, kind, at);
    const [title, words] = [plain(name, MAX_NAME), plain(details, MAX_DETAILS)];
    const same = this.#pending.find({ module, kind, name: title, details: words });
    if (same !== undefined) same.count += 1;
    else if (window.rows >= this.#limits.perMinute) window.more += 1;
    else {
      window.rows += 1;
      this.#keep({ id: 0, at, module, kind, name: title, details: words, count: 1 });
    }
    this.#timer ??= setTimeout(() => this.#tick(), FLUSH_MS).unref();
  }

  /** Newest first. @throws PlexiError STATE_UNAVAILABLE */
  async list({ module, before = Number.MAX_SAFE_INTEGER, limit }: SecurityEventQuery): Promise<SecurityEvent[]> {
    await this.#flush();
    const where = module === undefined ? 'id < ?' : 'id < ? AND module = ?';
    const rows = await this.#options.state.query(
      `SELECT id, at, module, kind, name, details, count FROM security_events WHERE ${where} ORDER BY id DESC LIMIT ?`,
      module === undefined ? [before, limit] : [before, module, limit],
    );
    return rows.map((row) => ({
      id: Number(row.id),
      at: Number(row.at),
      module: String(row.module),
      kind: String(row.kind) as SecurityEventKind,
      name: String(row.name),
      details: String(row.details),
      count: Number(row.count),
    }));
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#endWindows(Number.POSITIVE_INFINITY);
    await this.#flush();
    clearTimeout(this.#timer);
  }

  #windowOf(module: string, kind: SecurityEventKind, at: number): Window {
    const key = `${module}\n${kind}`;
    const known = this.#windows.get(key);
    if (known !== undefined && at < known.endsAt) return known;
    if (known !== undefined) this.#endWindow(key, known);
    const window = { module, kind, endsAt: at + WINDOW_MS, rows: 0, more: 0 };
    this.#windows.set(key, window);
    return window;
  }

  #keep(event: WaitingEvent): void {
    if (this.#pending.add(event)) this.#options.onEvent(event);
  }

  #endWindow(key: string, { module, kind, more }: Window): void {
    this.#windows.delete(key);
    if (more === 0) return;
    const details = `${more} more within a minute, not kept one by one`;
    this.#keep({ id: 0, at: this.#now(), module, kind, name: 'more', details, count: more });
  }

  #endWindows(now: number): void {
    for (const [key, window] of this.#windows) if (now >= window.endsAt) this.#endWindow(key, window);
  }

  #tick(): void {
    this.#timer = undefined;
    this.#endWindows(this.#now());
    void this.#flush().finally(() => {
      const isNeeded = this.#pending.size > 0 || this.#windows.size > 0;
      if (isNeeded) this.#timer ??= setTimeout(() => this.#tick(), FLUSH_MS).unref();
    });
  }

  #flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const events = this.#pending.list();
    const tidyAt = this.#lastTidy + TIDY_MS;
    if (events.length === 0) return;
    this.#pending = new SecurityEventQueue();
    const now = this.#now();
    try {
      this.#lastId ??= await this.#readLastId();
      for (const event of events) event.id = event.id === 0 ? this.#nextId(event.at) : event.id;
      await this.#options.state.run([
        ...events.map(insert),
        ...dropBeyond(events, this.#limits),
        ...(now >= tidyAt ? tidyUp(now, this.#limits) : []),
      ]);
      if (now >= tidyAt) this.#lastTidy = now;
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#options.onFailure(error);
      this.#isFailing = true;
      // What is wrong with a row will be wrong again; a state that is away comes back.
      if (error instanceof PlexiError) this.#putBack(events);
    }
  }

  #putBack(events: readonly WaitingEvent[]): void {
    for (const event of events) {
      const same = this.#pending.find(event);
      if (same === undefined) this.#pending.add(event);
      else same.count += event.count;
    }
  }

  async #readLastId(): Promise<number> {
    const [row] = await this.#options.state.query('SELECT MAX(id) AS id FROM security_events');
    return Number(row?.id ?? 0);
  }

  /** By the clock, with room for a thousand a millisecond; never twice, also when the clock was set back. */
  #nextId(at: number): number {
    this.#lastId = Math.max((this.#lastId ?? 0) + 1, at * 1000 + Math.floor(Math.random() * 1000));
    return this.#lastId;
  }
}

/** Half a surrogate pair and NUL are no text that a database takes. */
function plain(text: string, max: number): string {
  return text.slice(0, max).replaceAll('\0', '\ufffd').toWellFormed();
}
