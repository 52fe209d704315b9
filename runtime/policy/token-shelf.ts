/** All tokens of a host in memory, to be found by id and, API keys, by hash. What this host knows better stays so. */
import type { TokenRecord } from '../state/token-store.ts';
import { type KnownCaller, knowCaller } from './caller.ts';

interface Entry {
  record: TokenRecord;
  readonly caller: KnownCaller;
}

/** How exact the last use is known. */
const USE_STEP_MS = 60_000;
/** How long it is shown that a token ended, and longer than a session of the console that was begun with it. */
const AFTERWARDS_MS = 24 * 3_600_000;

export class TokenShelf {
  #entries: ReadonlyMap<string, Entry> = new Map();
  #byHash: ReadonlyMap<string, Entry> = new Map();
  /** What was revoked here stays revoked here, whatever the state says. */
  readonly #revokedHere = new Map<string, Pick<TokenRecord, 'revokedAt' | 'revokedBy'>>();

  get(id: string): TokenRecord | undefined {
    return this.#entries.get(id)?.record;
  }

  findKey(sha256: string): KnownCaller | undefined {
    return this.#byHash.get(sha256)?.caller;
  }

  get records(): TokenRecord[] {
    return [...this.#entries.values()].map(({ record }) => record);
  }

  /** These, and no others, from here on. */
  fill(records: readonly TokenRecord[]): void {
    const entries = new Map<string, Entry>();
    const byHash = new Map<string, Entry>();
    for (const stored of records) {
      const known = this.#entries.get(stored.id);
      const { id, sub, tier, permissions, sha256 } = stored;
      const caller = known?.caller ?? knowCaller({ id: sub, tier, permissions: [...permissions] }, id);
      const entry: Entry = { record: this.#withMine(stored, known?.record), caller };
      entries.set(id, entry);
      if (sha256 !== undefined) byHash.set(sha256, entry);
    }
    this.#entries = entries;
    this.#byHash = byHash;
  }

  revoke(id: string, at: number, operator: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.record.revokedAt !== undefined) return;
    const revocation = { revokedAt: at, revokedBy: operator };
    this.#revokedHere.set(id, revocation);
    entry.record = { ...entry.record, ...revocation };
  }

  /** @returns whether that is worth writing down */
  use(id: string, now: number): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || now - (entry.record.usedAt ?? 0) < USE_STEP_MS) return false;
    entry.record = { ...entry.record, usedAt: now };
    return true;
  }

  /** A revoked token is remembered for as long as somebody could come with it. @returns the ids of those that went */
  forgetEnded(now: number): string[] {
    const gone = new Set(this.records.filter((record) => now >= endOf(record) + AFTERWARDS_MS).map(({ id }) => id));
    if (gone.size === 0) return [];
    for (const id of gone) this.#revokedHere.delete(id);
    this.fill(this.records.filter(({ id }) => !gone.has(id)));
    return [...gone];
  }

  #withMine(stored: TokenRecord, known: TokenRecord | undefined): TokenRecord {
    const mine = this.#revokedHere.get(stored.id);
    const usedAt = Math.max(stored.usedAt ?? 0, known?.usedAt ?? 0);
    return {
      ...stored,
      usedAt: usedAt === 0 ? undefined : usedAt,
      revokedAt: stored.revokedAt ?? mine?.revokedAt,
      revokedBy: stored.revokedBy ?? mine?.revokedBy,
    };
  }
}

/** A key that is not in the list opens nothing; a token would, until it ends. */
function endOf({ kind, expiresAt, revokedAt }: TokenRecord): number {
  return kind === 'api_key' && revokedAt !== undefined ? Math.min(expiresAt, revokedAt) : expiresAt;
}
