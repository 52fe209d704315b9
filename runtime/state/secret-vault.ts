/** Secret settings of modules, sealed in the state. What leaves it in the clear goes to the host's memory alone. */
import { InTurn } from './in-turn.ts';
import type { State, Statement } from './state.ts';
import { isSealedWith, type SealedPlace, seal, UnsealError, unseal } from './vault.ts';
import { type Keyring, parseVaultKey, type VaultKey, VaultKeyError } from './vault-key.ts';
import { newVaultKey, readKeyFile, removeKeyDrafts, VAULT_KEY_FILE, writeKeyFile } from './vault-key-file.ts';

export interface VaultOptions {
  /** The data folder. */
  readonly folder: string;
  readonly state: State;
  /** PLEXI_VAULT_KEY seals; PLEXI_VAULT_KEY_OLD, by commas, still opens until everything is sealed anew. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now?: () => number;
  /** For operators: a rotation that came to its end, a secret that cannot be opened. */
  readonly onNotice: (message: string) => void;
}

export interface SecretRecord {
  readonly module: string;
  readonly setting: string;
  /** Epoch milliseconds. */
  readonly setAt: number;
  readonly setBy: string;
}

/** By setting. */
export interface HeldSecrets extends ReadonlyMap<string, string> {
  /**
   * Where a version of the module has secrets, wherever they come from.
   * @returns where any version ever had
   * @throws PlexiError STATE_UNAVAILABLE, Error when there are too many
   */
  readonly remember: (places: ReadonlySet<string>) => Promise<ReadonlySet<string>>;
}

export interface NewSecret {
  readonly setting: string;
  /** null: it is removed. */
  readonly value: string | null;
}

/** A rotation that this vault cannot do; the message says who can. */
export class VaultRefusal extends Error {
  override readonly name = 'VaultRefusal';
}

interface Row {
  readonly module: string;
  readonly setting: string;
  readonly sealed: string;
}

/** Of all versions of one module. */
const MAX_PLACES = 5_000;

export class SecretVault {
  readonly #options: VaultOptions;
  readonly #now: () => number;
  #keyring: Keyring | undefined;
  /** One change after the other: what is set while a rotation runs is sealed with the new key. */
  readonly #changes = new InTurn();

  constructor(options: VaultOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Reads the keys, and ends a rotation that was begun. Call once, first. @throws VaultKeyError */
  async open(): Promise<void> {
    const { folder, environment, onNotice } = this.#options;
    const filed = await readKeyFile(folder);
    await removeKeyDrafts(folder);
    const given = environment.PLEXI_VAULT_KEY || undefined;
    const former = (environment.PLEXI_VAULT_KEY_OLD ?? '').split(',').filter((text) => text.trim() !== '');
    if (given === undefined && former.length > 0) {
      throw new VaultKeyError('PLEXI_VAULT_KEY_OLD is set without PLEXI_VAULT_KEY, the key that takes its place.');
    }
    const old = former.map((text) => parseVaultKey(text, 'PLEXI_VAULT_KEY_OLD'));
    if (given !== undefined) {
      this.#keyring = keyringOf([parseVaultKey(given, 'PLEXI_VAULT_KEY'), ...old, ...filed]);
    } else if (filed.length > 0) {
      this.#keyring = keyringOf(filed);
    }
    if (this.#keyring === undefined) return;
    const unreadable = await this.#changes.take(() => this.#sealAnew());
    if (unreadable > 0) {
      onNotice(`${unreadable} secret settings cannot be opened with the keys of this vault; set them again.`);
    } else if (given === undefined && filed.length > 1) {
      await writeKeyFile(folder, filed.slice(0, 1));
    } else if (given !== undefined && filed.length > 0) {
      onNotice(
        `everything is sealed with PLEXI_VAULT_KEY: ${VAULT_KEY_FILE} of the data folder is not needed any more`,
      );
    }
  }

  /** What is set for a module, opened. @throws UnsealError that names the first that cannot be opened */
  async read(module: string): Promise<HeldSecrets> {
    const rows = await this.#rows('SELECT module, setting, sealed FROM secrets WHERE module = ?', [module]);
    const keyring = this.#keyring;
    const held = rows.map((row) => {
      if (keyring === undefined) throw new UnsealError(noKey(row));
      return [row.setting, unseal(row.sealed, row, keyring)] as const;
    });
    return Object.assign(new Map(held), { remember: (places: ReadonlySet<string>) => this.#remember(module, places) });
  }

  /** The modules for which something is kept, with how much. */
  async keptFor(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#options.state.query(
      'SELECT module, count(*) AS kept FROM secrets GROUP BY module ORDER BY module',
    );
    return new Map(rows.map(({ module, kept }) => [String(module), Number(kept)]));
  }

  /** Without the values. */
  async list(module: string): Promise<readonly SecretRecord[]> {
    const rows = await this.#options.state.query(
      'SELECT module, setting, set_at, set_by FROM secrets WHERE module = ? ORDER BY setting',
      [module],
    );
    return rows.map((row) => ({
      module: String(row.module),
      setting: String(row.setting),
      setAt: Number(row.set_at),
      setBy: String(row.set_by),
    }));
  }

  /** Resolves when it is on the disk, sealed. */
  async set(module: string, setting: string, value: string, operator: string): Promise<void> {
    await this.change(module, [{ setting, value }], operator, (statements) => this.#options.state.run(statements));
  }

  /** @returns false when nothing was set */
  remove(module: string, setting: string): Promise<boolean> {
    return this.#changes.take(async () => {
      const [result] = await this.#options.state.run([without({ module, setting })]);
      return (result?.changes ?? 0) > 0;
    });
  }

  /** Several at once, with what else belongs to them. @param commit puts these statements on the disk, all or none */
  change(
    module: string,
    changes: readonly NewSecret[],
    operator: string,
    commit: (statements: readonly Statement[]) => Promise<unknown>,
  ): Promise<void> {
    return this.#changes.take(async () => {
      const statements: Statement[] = [];
      for (const { setting, value } of changes) {
        const place = { module, setting };
        if (value === null) statements.push(without(place));
        else statements.push(withSealed(place, seal(value, place, await this.#needKeyring()), this.#now(), operator));
      }
      await commit(statements);
    });
  }

  /**
   * A new key, and everything sealed with it. Cut off anywhere, old and new key are both in the file, and the next start
   * goes on.
   * @throws VaultRefusal when the key comes from the environment, or something cannot be opened
   */
  rotate(): Promise<{ readonly sealed: number }> {
    const { folder, environment } = this.#options;
    return this.#changes.take(async () => {
      if (environment.PLEXI_VAULT_KEY) {
        throw new VaultRefusal(
          'The key comes from PLEXI_VAULT_KEY: start the host with a new one there and this one as PLEXI_VAULT_KEY_OLD.',
        );
      }
      const keyring = await this.#needKeyring();
      const rows = await this.#rows('SELECT module, setting, sealed FROM secrets', []);
      const lost = rows.filter((row) => !opens(row, keyring));
      if (lost.length > 0) {
        const names = lost.slice(0, 5).map(({ module, setting }) => `${module} ${setting}`);
        throw new VaultRefusal(
          `${lost.length} secret settings cannot be opened, and with the old key they would be lost: set or remove them first (${names.join(', ')}).`,
        );
      }
      const { current, old } = keyring;
      const next = newVaultKey();
      await writeKeyFile(folder, [next, current, ...old]);
      this.#keyring = { current: next, old: [current, ...old] };
      await this.#sealAnew();
      await writeKeyFile(folder, [next]);
      this.#keyring = { current: next, old: [] };
      return { sealed: rows.length };
    });
  }

  async #remember(module: string, places: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const { state } = this.#options;
    const rows = await state.query('SELECT place FROM secret_places WHERE module = ?', [module]);
    const known = new Set(rows.map(({ place }) => String(place)));
    const fresh = [...places].filter((place) => !known.has(place));
    if (known.size + fresh.length > MAX_PLACES)
      throw new Error(`${module} and its former versions have more than ${MAX_PLACES} secret settings.`);
    const sql = 'INSERT INTO secret_places (module, place) VALUES (?, ?) ON CONFLICT DO NOTHING';
    if (fresh.length > 0) await state.run(fresh.map((place) => ({ sql, params: [module, place] })));
    return new Set([...known, ...fresh]);
  }

  /** The first secret makes the key: a host without secrets has none to lose. */
  async #needKeyring(): Promise<Keyring> {
    if (this.#keyring === undefined) {
      const key = newVaultKey();
      await writeKeyFile(this.#options.folder, [key]);
      this.#keyring = keyringOf([key]);
    }
    return this.#keyring as Keyring;
  }

  /** All in one transaction. @returns how many cannot be opened; those stay as they are */
  async #sealAnew(): Promise<number> {
    const keyring = await this.#needKeyring();
    const rows = await this.#rows('SELECT module, setting, sealed FROM secrets', []);
    let unreadable = 0;
    const statements = rows.flatMap((row) => {
      if (isSealedWith(row.sealed, keyring.current) && opens(row, keyring)) return [];
      if (!opens(row, keyring)) {
        unreadable += 1;
        return [];
      }
      const sealed = seal(unseal(row.sealed, row, keyring), row, keyring);
      const sql = 'UPDATE secrets SET sealed = ? WHERE module = ? AND setting = ? AND sealed = ?';
      return { sql, params: [sealed, row.module, row.setting, row.sealed] };
    });
    if (statements.length > 0) await this.#options.state.run(statements);
    return unreadable;
  }

  async #rows(sql: string, params: readonly string[]): Promise<Row[]> {
    const rows = await this.#options.state.query(sql, params);
    return rows.map(({ module, setting, sealed }) => ({
      module: String(module),
      setting: String(setting),
      sealed: String(sealed),
    }));
  }
}

function withSealed({ module, setting }: SealedPlace, sealed: string, at: number, operator: string): Statement {
  return {
    sql: `INSERT INTO secrets (module, setting, sealed, set_at, set_by) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (module, setting) DO UPDATE
          SET sealed = excluded.sealed, set_at = excluded.set_at, set_by = excluded.set_by`,
    params: [module, setting, sealed, at, operator],
  };
}

function without({ module, setting }: SealedPlace): Statement {
  return { sql: 'DELETE FROM secrets WHERE module = ? AND setting = ?', params: [module, setting] };
}

function keyringOf(keys: readonly VaultKey[]): Keyring {
  const [current, ...old] = keys.filter((key, index) => keys.findIndex(({ id }) => id === key.id) === index);
  if (current === undefined) throw new VaultKeyError('The vault has no key.');
  return { current, old };
}

function opens(row: Row, keyring: Keyring): boolean {
  try {
    unseal(row.sealed, row, keyring);
    return true;
  } catch {
    return false;
  }
}

function noKey({ module, setting }: Row): string {
  return `The secret setting ${setting} of ${module} cannot be opened: the vault has no key (${VAULT_KEY_FILE} is gone, or PLEXI_VAULT_KEY is not set).`;
}
