/** Where grants rest: who granted what to which version of a module, and when it was used last. */
import type { State } from '../state/state.ts';

export interface StoredGrant {
  readonly module: string;
  readonly version: string;
  /** As formatPermission writes it. */
  readonly permission: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** `sub` of the operator. */
  readonly by: string;
}

export interface GrantUse {
  readonly module: string;
  readonly permission: string;
  readonly uses: number;
  /** Epoch milliseconds. */
  readonly lastUsedAt: number;
}

export interface StoredGrants {
  readonly grants: readonly StoredGrant[];
  /** The version of each module that was loaded last. */
  readonly versions: ReadonlyMap<string, string>;
  readonly uses: readonly GrantUse[];
}

export class GrantStore {
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
  }

  async readAll(): Promise<StoredGrants> {
    const [grants, versions, uses] = await this.#state.run([
      { sql: 'SELECT module, version, permission, granted_at, granted_by FROM grants' },
      { sql: 'SELECT module, version FROM grant_versions' },
      { sql: 'SELECT module, permission, uses, last_used_at FROM grant_uses' },
    ]);
    return {
      grants: (grants?.rows ?? []).map((row) => ({
        module: String(row.module),
        version: String(row.version),
        permission: String(row.permission),
        at: Number(row.granted_at),
        by: String(row.granted_by),
      })),
      versions: new Map((versions?.rows ?? []).map((row) => [String(row.module), String(row.version)])),
      uses: (uses?.rows ?? []).map((row) => ({
        module: String(row.module),
        permission: String(row.permission),
        uses: Number(row.uses),
        lastUsedAt: Number(row.last_used_at),
      })),
    };
  }

  /** This version is in force now, with what was granted to the one before and is still asked for. */
  async enforce(module: string, version: string, grants: readonly StoredGrant[]): Promise<void> {
    await this.#state.run([
      {
        sql: 'INSERT INTO grant_versions (module, version) VALUES (?, ?) ON CONFLICT (module) DO UPDATE SET version = excluded.version',
        params: [module, version],
      },
      ...grants.map(insert),
    ]);
  }

  async add(grants: readonly StoredGrant[]): Promise<void> {
    await this.#state.run(grants.map(insert));
  }

  /** From every version: what was taken back is not found again by a rollback. */
  async remove(module: string, permissions: readonly string[]): Promise<void> {
    await this.#state.run(
      permissions.map((permission) => ({
        sql: 'DELETE FROM grants WHERE module = ? AND permission = ?',
        params: [module, permission],
      })),
    );
  }

  async forget(module: string): Promise<void> {
    const tables = ['grants', 'grant_versions', 'grant_uses'];
    await this.#state.run(tables.map((table) => ({ sql: `DELETE FROM ${table} WHERE module = ?`, params: [module] })));
  }

  /** @param uses since they were written last */
  async addUses(uses: readonly GrantUse[]): Promise<void> {
    await this.#state.run(
      uses.map(({ module, permission, uses: count, lastUsedAt }) => ({
        sql: `INSERT INTO grant_uses (module, permission, uses, last_used_at) VALUES (?, ?, ?, ?)
              ON CONFLICT (module, permission) DO UPDATE
              SET uses = grant_uses.uses + excluded.uses, last_used_at = excluded.last_used_at`,
        params: [module, permission, count, lastUsedAt],
      })),
    );
  }
}

function insert({ module, version, permission, at, by }: StoredGrant) {
  return {
    sql: `INSERT INTO grants (module, version, permission, granted_at, granted_by) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (module, version, permission) DO NOTHING`,
    params: [module, version, permission, at, by],
  };
}
