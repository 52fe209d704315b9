/**
 * The tokens and API keys that operators made. All of them are in memory: whether one was withdrawn is asked at every
 * request. What was revoked is refused at once here, and by the hosts that share the state after their next look.
 */

import { hash, randomBytes } from 'node:crypto';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { InTurn } from '../state/in-turn.ts';
import type { State } from '../state/state.ts';
import { type TokenRecord, TokenStore } from '../state/token-store.ts';
import type { KnownCaller } from './caller.ts';
import type { TokenClaims } from './sign-token.ts';
import {
  assertNotBeyond,
  assertReadable,
  assertRoom,
  type NewToken,
  TOKEN_LIMITS,
  type TokenLimits,
} from './token-rules.ts';
import { TokenShelf } from './token-shelf.ts';

export interface TokenBookOptions {
  readonly state: State;
  readonly sign: (claims: Pick<TokenClaims, 'id' | 'sub' | 'tier' | 'permissions' | 'lifetime'>) => Promise<string>;
  readonly onWarning: (message: string) => void;
  readonly onFailure: (error: unknown) => void;
  readonly now?: () => number;
  readonly limits?: Partial<TokenLimits>;
  /** How often to look what other hosts changed; left out when there are none. */
  readonly lookMs?: number | undefined;
}

export interface MadeToken {
  readonly record: TokenRecord;
  /** The token or the key itself: nobody can see it again. */
  readonly credential: string;
}

export interface TokenPage {
  readonly before: string | undefined;
  readonly limit: number;
}

const KEY_BYTES = 32;
/** With `plexi_`; the rest has 208 bits. */
const PREFIX_LENGTH = 14;
const TIDY_MS = 60_000;

/** @throws PlexiError STATE_UNAVAILABLE */
export async function openTokenBook(options: TokenBookOptions): Promise<TokenBook> {
  const book = new TokenBook(options);
  await book.open();
  return book;
}

export class TokenBook {
  readonly #options: TokenBookOptions;
  readonly #limits: TokenLimits;
  readonly #store: TokenStore;
  readonly #now: () => number;
  readonly #shelf = new TokenShelf();
  /** Revoked, and not in the state yet. */
  readonly #unwritten = new Map<string, { readonly at: number; readonly by: string }>();
  /** Of rows that cannot be read. */
  readonly #odd = new Set<string>();
  /** Forgotten, and still in the state. */
  readonly #ended = new Set<string>();
  #used = new Map<string, number>();
  #revision = -1;
  #isFailing = false;
  readonly #changes = new InTurn();
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(options: TokenBookOptions) {
    this.#options = options;
    this.#limits = { ...TOKEN_LIMITS, ...options.limits };
    this.#now = options.now ?? Date.now;
    this.#store = new TokenStore({
      state: options.state,
      onOdd: (id) => {
        this.#odd.add(id);
        options.onWarning(`the row ${JSON.stringify(id)} of tokens cannot be read; it opens nothing`);
      },
    });
  }

  /** Once, first. @throws PlexiError STATE_UNAVAILABLE */
  async open(): Promise<void> {
    await this.look();
    this.#timers.push(setInterval(() => this.#quietly(this.tidy()), TIDY_MS).unref());
    const { lookMs } = this.#options;
    if (lookMs !== undefined) this.#timers.push(setInterval(() => this.#quietly(this.look()), lookMs).unref());
  }

  /** Boundary: asked at every request, also for what is remembered. Notes the use. */
  isWithdrawn(id: string): boolean {
    // Boundary: nobody can say any more whether it was revoked, and its bearer may hold a signed token.
    if (this.#odd.has(id)) return true;
    const record = this.#shelf.get(id);
    if (record === undefined) return false;
    const now = this.#now();
    if (record.revokedAt !== undefined || now >= record.expiresAt) return true;
    if (this.#shelf.use(id, now)) this.#used.set(id, now);
    return false;
  }

  /**
   * Whose key this is; whether it was withdrawn is another question. Boundary: looked up by its hash, which nobody can
   * steer, so how long that takes says nothing about the keys there are.
   */
  findKey(sha256: string): KnownCaller | undefined {
    return this.#shelf.findKey(sha256);
  }

  /** Newest first; `next` is the `before` of the next page. */
  list({ before, limit }: TokenPage): { readonly tokens: readonly TokenRecord[]; readonly next: string | undefined } {
    const all = this.#shelf.records.sort(newestFirst);
    const older = before === undefined ? all : all.filter((record) => placeOf(record) < before);
    const tokens = older.slice(0, limit);
    const last = tokens.at(-1);
    return { tokens, next: older.length > limit && last !== undefined ? placeOf(last) : undefined };
  }

  /** @throws PlexiError FORBIDDEN for more than the maker may, INVALID_INPUT, STATE_UNAVAILABLE */
  create(asked: NewToken, maker: KnownCaller): Promise<MadeToken> {
    return this.#changes.take(async () => {
      assertNotBeyond(asked, maker);
      const now = this.#now();
      this.#forgetEnded(now);
      assertRoom(this.#shelf.records, maker.caller.id, now, this.#limits);
      const { id, kind, name, sub = maker.caller.id, tier, permissions, lifetime } = asked;
      const isKey = kind === 'api_key';
      const credential = isKey ? newKey() : await this.#options.sign({ id, sub, tier, permissions, lifetime });
      assertReadable(credential);
      const record: TokenRecord = {
        ...{ id, kind, name, sub, tier, permissions: [...new Set(permissions)] },
        prefix: isKey ? credential.slice(0, PREFIX_LENGTH) : undefined,
        sha256: isKey ? hash('sha256', credential, 'hex') : undefined,
        madeAt: now,
        madeBy: maker.caller.id,
        madeWith: maker.credentialId,
        // From a whole second on, as the token says it.
        expiresAt: (Math.floor(now / 1000) + lifetime) * 1000,
        ...{ usedAt: undefined, revokedAt: undefined, revokedBy: undefined },
      };
      await this.#store.add(record);
      this.#shelf.fill([...this.#shelf.records, record]);
      return { record, credential };
    });
  }

  /**
   * Boundary: refused from here on, before anything is waited for.
   * @throws PlexiError NOT_FOUND; STATE_UNAVAILABLE: it is refused all the same, and written down when the state is back
   */
  async revoke(id: string, operator: string): Promise<TokenRecord> {
    // Another host may have made it just now.
    if (this.#shelf.get(id) === undefined) await this.look();
    const record = this.#shelf.get(id);
    if (record === undefined) {
      throw new PlexiError('NOT_FOUND', 'No token has this id; GET /api/v1/tokens lists those there are.');
    }
    if (record.revokedAt === undefined) {
      const at = this.#now();
      this.#shelf.revoke(id, at, operator);
      this.#unwritten.set(id, { at, by: operator });
    }
    await this.#changes.take(() => this.#writeRevocations());
    return this.#shelf.get(id) ?? record;
  }

  /** Takes over what other hosts changed. @throws PlexiError STATE_UNAVAILABLE */
  look(): Promise<void> {
    return this.#changes.take(async () => {
      const revision = await this.#store.readRevision();
      if (revision === this.#revision) return;
      this.#shelf.fill(await this.#store.readAll());
      for (const { id } of this.#shelf.records) this.#odd.delete(id);
      this.#revision = revision;
    });
  }

  /** Writes down what is not written yet, drops what ended long ago. @throws PlexiError STATE_UNAVAILABLE */
  tidy(): Promise<void> {
    return this.#changes.take(async () => {
      await this.#writeRevocations();
      const used = this.#used;
      this.#used = new Map();
      try {
        await this.#store.noteUses([...used]);
      } catch (error) {
        this.#used = new Map([...used, ...this.#used]);
        throw error;
      }
      this.#forgetEnded(this.#now());
      await this.#store.remove([...this.#ended]);
      this.#ended.clear();
    });
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.tidy().catch(this.#options.onFailure);
  }

  #forgetEnded(now: number): void {
    for (const id of this.#shelf.forgetEnded(now)) this.#ended.add(id);
  }

  async #writeRevocations(): Promise<void> {
    for (const [id, { at, by }] of this.#unwritten) {
      await this.#store.revoke(id, at, by);
      this.#unwritten.delete(id);
    }
  }

  #quietly(work: Promise<void>): void {
    work.then(
      () => {
        this.#isFailing = false;
      },
      (error: unknown) => {
        if (!this.#isFailing) this.#options.onFailure(error);
        this.#isFailing = true;
      },
    );
  }
}

function newKey(): string {
  return `plexi_${randomBytes(KEY_BYTES).toString('base64url')}`;
}

/** Sorts as text. */
function placeOf({ madeAt, id }: TokenRecord): string {
  return `${String(madeAt).padStart(16, '0')}.${id}`;
}

function newestFirst(one: TokenRecord, other: TokenRecord): number {
  return placeOf(one) < placeOf(other) ? 1 : -1;
}
