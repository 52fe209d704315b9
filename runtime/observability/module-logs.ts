/**
 * The last lines of and about each module, in memory: its own words, and apart from them what the host says of it, so that
 * a module that talks much washes away neither what the host said nor a line of another module.
 */
import type { LogLevel } from '@plexichat/sdk/protocol/capabilities/log';
import { type KeptLine, LineRing } from './line-ring.ts';

export interface ModuleLine {
  /** Grows with time, over restarts of the host too. */
  readonly id: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly module: string;
  /** Whose words they are. */
  readonly source: LineSource;
  readonly level: LogLevel;
  readonly message: string;
  /** JSON text. */
  readonly fields?: string;
}

export type LineSource = 'module' | 'host';

export interface LineQuery {
  /** This one and what is worse. */
  readonly level?: LogLevel | undefined;
  /** Only lines with a smaller id. */
  readonly before?: number | undefined;
  /** Only lines with a larger id. */
  readonly after?: number | undefined;
  readonly limit: number;
}

export interface LineListener {
  /** Must not throw. */
  readonly onItem: (line: ModuleLine) => void;
  /** The host ends. */
  readonly onEnd: () => void;
}

export interface ModuleLogLimits {
  /** Of one module's own words; what the host says of it has the same room again. */
  readonly lines: number;
  readonly bytes: number;
  /** Of all modules together; what one of them may keep shrinks when there are many. */
  readonly totalBytes: number;
  readonly modules: number;
}

const LIMITS: ModuleLogLimits = { lines: 1_000, bytes: 256 * 1024, totalBytes: 64 * 1024 * 1024, modules: 10_000 };
const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const MAX_MESSAGE = 8_000;

type Rings = Readonly<Record<LineSource, LineRing>>;

export class ModuleLogs {
  readonly #limits: ModuleLogLimits;
  readonly #now: () => number;
  /** The one that spoke first is first. */
  readonly #rings = new Map<string, Rings>();
  readonly #listeners = new Map<string, Set<LineListener>>();
  #lastId = 0;
  #isClosed = false;

  constructor({ now = Date.now, ...limits }: Partial<ModuleLogLimits> & { readonly now?: () => number } = {}) {
    this.#limits = { ...LIMITS, ...limits };
    this.#now = now;
  }

  /** Boundary: words and fields may be a module's own. Never throws. @param fields JSON text */
  write(module: string, source: LineSource, level: LogLevel, words: string, fields?: string): void {
    const at = this.#now();
    const message = words.slice(0, MAX_MESSAGE);
    const cut =
      fields === undefined || fields.length <= MAX_MESSAGE
        ? fields
        : JSON.stringify({ text: fields.slice(0, MAX_MESSAGE) });
    this.#lastId = Math.max(this.#lastId + 1, at * 1000);
    const line: KeptLine = { id: this.#lastId, at, level, message, ...(cut === undefined ? {} : { fields: cut }) };
    const ring = this.#ringsOf(module)[source];
    ring.add(line);
    ring.trim(this.#limits.lines, this.#bytesEach());
    const listeners = this.#listeners.get(module);
    if (listeners === undefined) return;
    for (const { onItem } of listeners) onItem({ ...line, module, source });
  }

  knows(module: string): boolean {
    return this.#rings.has(module);
  }

  /** Newest first. */
  list(
    module: string,
    { level = 'debug', before = Number.POSITIVE_INFINITY, after = 0, limit }: LineQuery,
  ): ModuleLine[] {
    const rings = this.#rings.get(module);
    if (rings === undefined) return [];
    const isWanted = (line: KeptLine): boolean =>
      line.id < before && line.id > after && SEVERITY[line.level] >= SEVERITY[level];
    const found = (['module', 'host'] as const).flatMap((source) =>
      rings[source].newest(limit, isWanted).map((line) => ({ ...line, module, source })),
    );
    return found.sort((one, other) => other.id - one.id).slice(0, limit);
  }

  /** @returns stops listening */
  listen(module: string, listener: LineListener): () => void {
    if (this.#isClosed) {
      listener.onEnd();
      return () => {};
    }
    const listeners = this.#listeners.get(module) ?? new Set();
    this.#listeners.set(module, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(module) === listeners) this.#listeners.delete(module);
    };
  }

  followers(module: string): number {
    return this.#listeners.get(module)?.size ?? 0;
  }

  /** Whoever follows is told that this is the end. */
  close(): void {
    this.#isClosed = true;
    for (const listeners of [...this.#listeners.values()]) for (const { onEnd } of [...listeners]) onEnd();
  }

  #ringsOf(module: string): Rings {
    const known = this.#rings.get(module);
    if (known !== undefined) return known;
    const rings = { module: new LineRing(), host: new LineRing() };
    this.#rings.set(module, rings);
    if (this.#rings.size > this.#limits.modules) this.#forgetOne();
    this.#shrinkAll();
    return rings;
  }

  #forgetOne(): void {
    for (const module of this.#rings.keys()) {
      this.#rings.delete(module);
      return;
    }
  }

  /** With one more module, each may keep less, also one that says nothing now. */
  #shrinkAll(): void {
    const bytes = this.#bytesEach();
    if (bytes === this.#limits.bytes) return;
    for (const { module, host } of this.#rings.values()) {
      module.trim(this.#limits.lines, bytes);
      host.trim(this.#limits.lines, bytes);
    }
  }

  #bytesEach(): number {
    const share = this.#limits.totalBytes / (2 * Math.max(1, this.#rings.size));
    return Math.min(this.#limits.bytes, share);
  }
}

/** Whether a line of this level is shown to somebody who asked for that one and worse. */
export function isAtLeast(level: LogLevel, wanted: LogLevel): boolean {
  return SEVERITY[level] >= SEVERITY[wanted];
}
