/**
 * What operators set for modules, by module and version, as they set it. A version that comes later begins with what was
 * set for the one before; one that comes back finds what it had. Whether a value fits is not asked here.
 */

import { gt, valid } from 'semver';
import { InTurn } from '../state/in-turn.ts';
import type { State, Statement } from '../state/state.ts';

export type Settings = Readonly<Record<string, unknown>>;

export interface KeptSettings {
  readonly settings: Settings;
  /** Epoch milliseconds; null when no operator has set anything. */
  readonly setAt: number | null;
  readonly setBy: string | null;
}

export interface SettingsBookOptions {
  readonly state: Pick<State, 'run' | 'query'>;
  readonly now?: () => number;
}

interface Row extends KeptSettings {
  readonly version: string;
  readonly text: string;
  /** No operator has changed anything since it came over from another version. */
  readonly isCarried: boolean;
}

const NOTHING: KeptSettings = { settings: {}, setAt: null, setBy: null };
/** Versions of one module; what was set for older ones is forgotten. */
const MAX_VERSIONS = 50;

export class SettingsBook {
  readonly #state: SettingsBookOptions['state'];
  readonly #now: () => number;
  /** One change after the other: what is written follows from what is there. */
  readonly #changes = new InTurn();

  constructor({ state, now = Date.now }: SettingsBookOptions) {
    this.#state = state;
    this.#now = now;
  }

  /** What is set for this version, or would be if it came into force now. @throws PlexiError STATE_UNAVAILABLE */
  async read(module: string, version: string): Promise<KeptSettings> {
    const { settings, setAt, setBy } = (await this.#find(module, version)) ?? NOTHING;
    return { settings, setAt, setBy };
  }

  /**
   * Resolves when it is on the disk.
   * @param beside in the same transaction: all of it, or nothing
   */
  write(
    module: string,
    version: string,
    settings: Settings,
    operator: string,
    beside: readonly Statement[] = [],
  ): Promise<void> {
    return this.#changes.take(async () => {
      const at = this.#now();
      await this.#state.run([
        put(module, version, [JSON.stringify(settings), 0, at, at, operator]),
        force(module, version),
        ...beside,
      ]);
    });
  }

  /** This version is the one in force from now on. */
  enter(module: string, version: string): Promise<void> {
    return this.#changes.take(async () => {
      const inForce = await this.#inForce(module);
      if (inForce === version) return;
      const found = await this.#find(module, version);
      const statements = [force(module, version)];
      if (found?.version !== version) {
        const { text = '{}', setAt = null, setBy = null } = found ?? {};
        statements.push(put(module, version, [text, 1, this.#now(), setAt, setBy]), prune(module));
      }
      await this.#state.run(statements);
    });
  }

  /** The module was removed for good. */
  forget(module: string): Promise<void> {
    return this.#changes.take(async () => {
      await this.#state.run([
        { sql: 'DELETE FROM module_settings WHERE module = ?', params: [module] },
        { sql: 'DELETE FROM module_settings_in_force WHERE module = ?', params: [module] },
      ]);
    });
  }

  /** The row of this version, or the one that it takes over. */
  async #find(module: string, version: string): Promise<Row | undefined> {
    const inForce = await this.#inForce(module);
    const own = await this.#row(module, version);
    if (inForce === undefined || inForce === version) return own;
    // One that was tried before, and set nothing: since then the version below it may have been changed.
    const isStale = own?.isCarried === true && isLater(version, inForce);
    return own === undefined || isStale ? await this.#row(module, inForce) : own;
  }

  async #row(module: string, version: string): Promise<Row | undefined> {
    const [row] = await this.#state.query(
      'SELECT settings, is_carried, set_at, set_by FROM module_settings WHERE module = ? AND version = ?',
      [module, version],
    );
    if (row === undefined) return undefined;
    const text = String(row.settings);
    return {
      version,
      text,
      settings: JSON.parse(text) as Settings,
      isCarried: Number(row.is_carried) === 1,
      setAt: row.set_at === null ? null : Number(row.set_at),
      setBy: row.set_by === null ? null : String(row.set_by),
    };
  }

  async #inForce(module: string): Promise<string | undefined> {
    const sql = 'SELECT version FROM module_settings_in_force WHERE module = ?';
    const [row] = await this.#state.query(sql, [module]);
    return row === undefined ? undefined : String(row.version);
  }
}

type RowValues = readonly [
  settings: string,
  carried: 0 | 1,
  enteredAt: number,
  setAt: number | null,
  setBy: string | null,
];

function put(module: string, version: string, values: RowValues): Statement {
  return {
    sql: `INSERT INTO module_settings (module, version, settings, is_carried, entered_at, set_at, set_by)
          VALUES (?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT (module, version) DO UPDATE
          SET settings = excluded.settings, is_carried = excluded.is_carried, entered_at = excluded.entered_at,
              set_at = excluded.set_at, set_by = excluded.set_by`,
    params: [module, version, ...values],
  };
}

function force(module: string, version: string): Statement {
  return {
    sql: `INSERT INTO module_settings_in_force (module, version) VALUES (?, ?)
          ON CONFLICT (module) DO UPDATE SET version = excluded.version`,
    params: [module, version],
  };
}

function prune(module: string): Statement {
  return {
    sql: `DELETE FROM module_settings WHERE module = ? AND version NOT IN (
            SELECT version FROM module_settings WHERE module = ? ORDER BY entered_at DESC, version LIMIT ${MAX_VERSIONS})`,
    params: [module, module],
  };
}

function isLater(version: string, than: string): boolean {
  return valid(version) !== null && valid(than) !== null && gt(version, than);
}
