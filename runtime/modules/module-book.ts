/**
 * Which version of each installed module is the one, and which modules operators switched on or off. One row for each
 * module, written whole: what the disk says after a crash is what was in force before it, or after.
 */
import type { Row, State } from '../state/state.ts';
import type { Statement } from '../state/statement.ts';

export interface InstalledModule {
  readonly module: string;
  /** The one in force. */
  readonly version: string;
  /** In force before it; what a trial goes back to. */
  readonly previous: string | undefined;
  /** Waits until everything is granted that it cannot do without. */
  readonly candidate: string | undefined;
  /** Whose tables its database has, when they are not those of the version in force. */
  readonly tablesOf: string | undefined;
  /** Until then it is rolled back by itself when it fails; epoch milliseconds. */
  readonly trialUntil: number | undefined;
  /** Of its first signed version. */
  readonly publisher: string | undefined;
  /** Epoch milliseconds. */
  readonly installedAt: number;
  /** `sub` of the operator. */
  readonly installedBy: string;
  /** Its data is kept for a while from then on; epoch milliseconds. */
  readonly removedAt: number | undefined;
}

/** @throws PlexiError STATE_UNAVAILABLE */
export async function openModuleBook(state: State): Promise<ModuleBook> {
  const [modules, switches] = await state.run([
    { sql: `SELECT ${COLUMNS.join(', ')} FROM installed_modules` },
    { sql: 'SELECT module, enabled FROM module_switches' },
  ]);
  const words = (switches?.rows ?? []).map((row) => [String(row.module), Number(row.enabled) === 1] as const);
  return new ModuleBook(state, (modules?.rows ?? []).map(readRow), words);
}

export class ModuleBook {
  readonly #state: State;
  readonly #modules: Map<string, InstalledModule>;
  readonly #switches: Map<string, boolean>;

  constructor(state: State, modules: readonly InstalledModule[], switches: readonly (readonly [string, boolean])[]) {
    this.#state = state;
    this.#modules = new Map(modules.map((row) => [row.module, row]));
    this.#switches = new Map(switches);
  }

  /** Those that are there, in the order of their names. */
  get installed(): readonly InstalledModule[] {
    return this.#all().filter(({ removedAt }) => removedAt === undefined);
  }

  /** Those whose data is still kept. */
  get removed(): readonly InstalledModule[] {
    return this.#all().filter(({ removedAt }) => removedAt !== undefined);
  }

  /** One that is there. */
  get(module: string): InstalledModule | undefined {
    const row = this.#modules.get(module);
    return row?.removedAt === undefined ? row : undefined;
  }

  /** One that is there, or whose data is. */
  trace(module: string): InstalledModule | undefined {
    return this.#modules.get(module);
  }

  /** The operator's word; undefined: config.yaml has it. */
  isEnabled(module: string): boolean | undefined {
    return this.#switches.get(module);
  }

  /** @throws PlexiError STATE_UNAVAILABLE */
  async put(row: InstalledModule): Promise<void> {
    await this.#state.run([upsert(row)]);
    this.#modules.set(row.module, row);
  }

  /** @throws PlexiError STATE_UNAVAILABLE; Error when no such module is installed */
  async change(module: string, changes: Partial<Omit<InstalledModule, 'module'>>): Promise<InstalledModule> {
    const row = this.#modules.get(module);
    if (row === undefined) throw new Error(`No module ${module} is installed.`);
    const next = { ...row, ...changes };
    await this.put(next);
    return next;
  }

  /** @throws PlexiError STATE_UNAVAILABLE */
  async switch(module: string, isEnabled: boolean): Promise<void> {
    await this.#state.run([
      {
        sql: `INSERT INTO module_switches (module, enabled) VALUES (?, ?)
              ON CONFLICT (module) DO UPDATE SET enabled = excluded.enabled`,
        params: [module, isEnabled ? 1 : 0],
      },
    ]);
    this.#switches.set(module, isEnabled);
  }

  /** Nothing is known of it any more. @throws PlexiError STATE_UNAVAILABLE */
  async forget(module: string): Promise<void> {
    await this.#state.run([
      { sql: 'DELETE FROM installed_modules WHERE module = ?', params: [module] },
      { sql: 'DELETE FROM module_switches WHERE module = ?', params: [module] },
    ]);
    this.#modules.delete(module);
    this.#switches.delete(module);
  }

  #all(): readonly InstalledModule[] {
    return [...this.#modules.values()].sort((left, right) => (left.module < right.module ? -1 : 1));
  }
}

const COLUMNS = [
  'module',
  'version',
  'previous',
  'candidate',
  'tables_of',
  'trial_until',
  'publisher',
  'installed_at',
  'installed_by',
  'removed_at',
] as const;

const UPSERT = `INSERT INTO installed_modules (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT (module) DO UPDATE SET ${COLUMNS.slice(1)
    .map((column) => `${column} = excluded.${column}`)
    .join(', ')}`;

function upsert(row: InstalledModule): Statement {
  return {
    sql: UPSERT,
    params: [
      row.module,
      row.version,
      row.previous ?? null,
      row.candidate ?? null,
      row.tablesOf ?? null,
      row.trialUntil ?? null,
      row.publisher ?? null,
      row.installedAt,
      row.installedBy,
      row.removedAt ?? null,
    ],
  };
}

function readRow(row: Row): InstalledModule {
  return {
    module: String(row.module),
    version: String(row.version),
    previous: textOf(row.previous),
    candidate: textOf(row.candidate),
    tablesOf: textOf(row.tables_of),
    trialUntil: numberOf(row.trial_until),
    publisher: textOf(row.publisher),
    installedAt: Number(row.installed_at),
    installedBy: String(row.installed_by),
    removedAt: numberOf(row.removed_at),
  };
}

function textOf(value: Row[string] | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

function numberOf(value: Row[string] | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
