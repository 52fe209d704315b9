/** Tokens and API keys in the state. Neither a token nor a key is in there: of a key its SHA-256, of a token its id. */
import { TIERS, type Tier } from '@plexichat/sdk/protocol/declaration';
import type { State } from './state.ts';
import type { Row, Statement } from './statement.ts';

export type TokenKind = 'token' | 'api_key';

export interface TokenRecord {
  readonly id: string;
  readonly kind: TokenKind;
  readonly name: string;
  readonly sub: string;
  readonly tier: Tier;
  readonly permissions: readonly string[];
  /** How an API key begins, to find it by. */
  readonly prefix: string | undefined;
  /** Of an API key, in hexadecimal. */
  readonly sha256: string | undefined;
  /** Epoch milliseconds, as the others. */
  readonly madeAt: number;
  readonly madeBy: string;
  /** The credential of whoever made it, where that has an id. */
  readonly madeWith: string | undefined;
  readonly expiresAt: number;
  readonly usedAt: number | undefined;
  readonly revokedAt: number | undefined;
  readonly revokedBy: string | undefined;
}

export interface TokenStoreOptions {
  readonly state: State;
  /** A row that cannot be what this host wrote: it is left out. Whoever comes with this id is to be refused. */
  readonly onOdd: (id: string) => void;
}

const COLUMNS = `id, kind, name, sub, tier, permissions, prefix, sha256, made_at, made_by, made_with, expires_at, used_at,
  revoked_at, revoked_by`;
/** Hosts that share a state see by it that something changed. */
const NEXT_REVISION: Statement = { sql: 'UPDATE tokens_revision SET revision = revision + 1 WHERE only_row = 1' };

/** Each method: @throws PlexiError STATE_UNAVAILABLE */
export class TokenStore {
  readonly #state: State;
  readonly #onOdd: (id: string) => void;

  constructor({ state, onOdd }: TokenStoreOptions) {
    this.#state = state;
    this.#onOdd = onOdd;
  }

  async readRevision(): Promise<number> {
    const [row] = await this.#state.query('SELECT revision FROM tokens_revision WHERE only_row = 1');
    return Number(row?.revision ?? 0);
  }

  async readAll(): Promise<TokenRecord[]> {
    const rows = await this.#state.query(`SELECT ${COLUMNS} FROM tokens`);
    return rows.flatMap((row) => {
      const record = readRecord(row);
      if (record === undefined) this.#onOdd(String(row.id));
      return record ?? [];
    });
  }

  async add(record: TokenRecord): Promise<void> {
    const { id, kind, name, sub, tier, permissions, prefix, sha256, madeAt, madeBy, madeWith, expiresAt } = record;
    const texts = [id, kind, name, sub, tier, JSON.stringify(permissions), prefix ?? null, sha256 ?? null];
    await this.#state.run([
      {
        sql: `INSERT INTO tokens (id, kind, name, sub, tier, permissions, prefix, sha256, made_at, made_by, made_with, expires_at)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        params: [...texts, madeAt, madeBy, madeWith ?? null, expiresAt],
      },
      NEXT_REVISION,
    ]);
  }

  async revoke(id: string, at: number, operator: string): Promise<void> {
    await this.#state.run([
      {
        sql: 'UPDATE tokens SET revoked_at = ?, revoked_by = ? WHERE id = ? AND revoked_at IS NULL',
        params: [at, operator, id],
      },
      NEXT_REVISION,
    ]);
  }

  /** The other hosts need not know. */
  async noteUses(uses: readonly (readonly [id: string, at: number])[]): Promise<void> {
    if (uses.length === 0) return;
    await this.#state.run(
      uses.map(([id, at]) => ({
        sql: 'UPDATE tokens SET used_at = ? WHERE id = ? AND (used_at IS NULL OR used_at < ?)',
        params: [at, id, at],
      })),
    );
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#state.run(ids.map((id) => ({ sql: 'DELETE FROM tokens WHERE id = ?', params: [id] })));
  }
}

/** Boundary: what says who may do what is read as closely as if a stranger had written it. */
function readRecord(row: Row): TokenRecord | undefined {
  const tier = TIERS.find((one) => one === row.tier);
  const kind = row.kind === 'token' || row.kind === 'api_key' ? row.kind : undefined;
  const permissions = readPermissions(String(row.permissions));
  const sha256 = textOf(row.sha256);
  const hasHash = sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256);
  if (tier === undefined || kind === undefined || permissions === undefined) return undefined;
  if (hasHash !== (kind === 'api_key')) return undefined;
  if (![row.made_at, row.expires_at].every((at) => Number.isSafeInteger(Number(at ?? Number.NaN)))) return undefined;
  return {
    id: String(row.id),
    kind,
    name: String(row.name),
    sub: String(row.sub),
    tier,
    permissions,
    prefix: textOf(row.prefix),
    sha256,
    madeAt: Number(row.made_at),
    madeBy: String(row.made_by),
    madeWith: textOf(row.made_with),
    expiresAt: Number(row.expires_at),
    usedAt: timeOf(row.used_at),
    revokedAt: timeOf(row.revoked_at),
    revokedBy: textOf(row.revoked_by),
  };
}

function readPermissions(json: string): string[] | undefined {
  try {
    const found: unknown = JSON.parse(json);
    return Array.isArray(found) && found.every((one) => typeof one === 'string') ? found : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: Row[string] | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

function timeOf(value: Row[string] | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
