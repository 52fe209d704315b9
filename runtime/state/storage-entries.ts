/** Key-value entries of modules in the state, with what each module has used, counted in the same transaction. */
import type { State } from './state.ts';
import { type Statement, StatementError } from './statement.ts';

export interface StorageEntry {
  readonly key: string;
  readonly value: string;
  /** Epoch milliseconds; null: it stays. */
  readonly expiresAt: number | null;
}

export interface StorageEntries {
  /** At once: the caller's thread waits some microseconds. */
  get(module: string, key: string): string | undefined;
  /** How many bytes the module uses now; `full`: it does not fit into what it may use, and nothing was changed. */
  set(module: string, entry: StorageEntry, maxBytes: number): Promise<number | 'full'>;
  /** Whether there was one. */
  delete(module: string, key: string): Promise<boolean>;
  /**
   * What has expired is looked at too, until it is swept: of so many dead entries in a row it finds fewer than there are,
   * and says after which to go on.
   */
  list(
    module: string,
    list: { prefix: string; after: string; limit: number },
  ): Promise<{ readonly keys: readonly string[]; readonly next: string | undefined }>;
  /** @param expected null: there must be none */
  swap(
    module: string,
    entry: StorageEntry,
    expected: string | null,
    maxBytes: number,
  ): Promise<number | 'differs' | 'full'>;
  /** Deletes some of what has expired, of one module or of all, and says how many. */
  sweep(module?: string): Promise<number>;
}

/** What an entry takes besides its key and its value. */
const ENTRY_BYTES = 64;
const SWEPT_AT_ONCE = 500;
/** Entries that one list looks at: all others wait for the writer meanwhile, about a millisecond. */
const LOOKED_AT = 1_000;

export function createStorageEntries(state: State, now: () => number = Date.now): StorageEntries {
  /** The bytes that are used now, or which statement would not have it. */
  const write = async (
    module: string,
    statements: readonly Statement[],
  ): Promise<{ used: number } | { failed: Statement | undefined }> => {
    try {
      const results = await state.run(statements);
      return { used: Number(results[statements.length - 2]?.rows[0]?.used_bytes ?? 0) };
    } catch (error) {
      if (!(error instanceof StatementError) || error.code !== 'REQUIRED') throw error;
      const failed = statements[error.index];
      // What has expired is in nobody's way: it only was not swept yet.
      if (failed?.sql !== COUNT || (await sweep(module)) === 0) return { failed };
      return write(module, statements);
    }
  };
  const sweep = async (module?: string): Promise<number> => {
    const [, deleted] = await state.run(sweepStatements(now(), module));
    return deleted?.changes ?? 0;
  };
  return {
    get(module, key) {
      const [row] = state.read(GET, [module, key, now()]);
      return row === undefined ? undefined : String(row.value);
    },
    async set(module, entry, maxBytes) {
      const put = putStatements(module, entry, maxBytes);
      if (put === undefined) return 'full';
      const written = await write(module, put);
      return 'used' in written ? written.used : 'full';
    },
    async delete(module, key) {
      const [, deleted] = await state.run([
        { sql: UNCOUNT, params: [module, key, module] },
        { sql: DELETE, params: [module, key] },
      ]);
      const row = deleted?.rows[0];
      return row !== undefined && (row.expires_at === null || Number(row.expires_at) > now());
    },
    async list(module, { prefix, after, limit }) {
      const end = endOfPrefix(prefix);
      // Strings compare by UTF-16 here and by code points there, so the database gets both lower bounds.
      // A search reads what lies between the keys too, so it is not for the host's own thread.
      const most = Math.max(limit, LOOKED_AT);
      const rows =
        end === undefined
          ? await state.query(LIST, [module, prefix, after, most])
          : await state.query(LIST_UNTIL, [module, prefix, after, end, most]);
      const at = now();
      const keys: string[] = [];
      for (const { name, expires_at } of rows) {
        if (keys.length === limit) break;
        if (expires_at === null || Number(expires_at) > at) keys.push(String(name));
      }
      const last = keys.length === limit ? keys.at(-1) : rows.length === most ? rows.at(-1)?.name : undefined;
      return { keys, next: last === undefined ? undefined : String(last) };
    },
    async swap(module, entry, expected, maxBytes) {
      const { key } = entry;
      const put = putStatements(module, entry, maxBytes);
      if (put === undefined) return 'full';
      const check: Statement =
        expected === null
          ? { sql: ABSENT, params: [module, key, now()], required: true }
          : { sql: SAME, params: [module, key, expected, now()], required: true };
      const written = await write(module, [check, ...put]);
      if ('used' in written) return written.used;
      return written.failed === check ? 'differs' : 'full';
    },
    sweep,
  };
}

const LIVE = '(expires_at IS NULL OR expires_at > ?)';
const GET = `SELECT value FROM storage_entries WHERE module = ? AND name = ? AND ${LIVE}`;
const SAME = `SELECT 1 AS same FROM storage_entries WHERE module = ? AND name = ? AND value = ? AND ${LIVE}`;
const ABSENT = `SELECT 1 AS absent WHERE NOT EXISTS (SELECT 1 FROM storage_entries WHERE module = ? AND name = ? AND ${LIVE})`;
const LIST =
  'SELECT name, expires_at FROM storage_entries WHERE module = ? AND name >= ? AND name > ? ORDER BY name LIMIT ?';
const LIST_UNTIL =
  'SELECT name, expires_at FROM storage_entries WHERE module = ? AND name >= ? AND name > ? AND name < ? ORDER BY name LIMIT ?';
const SIZE = 'COALESCE((SELECT size_bytes FROM storage_entries WHERE module = ? AND name = ?), 0)';
const COUNT = `
  INSERT INTO storage_usage (module, used_bytes) VALUES (?, ?)
  ON CONFLICT (module) DO UPDATE SET used_bytes = storage_usage.used_bytes + excluded.used_bytes - ${SIZE}
  WHERE storage_usage.used_bytes + excluded.used_bytes - ${SIZE} <= ?
  RETURNING used_bytes`;
const PUT = `
  INSERT INTO storage_entries (module, name, value, size_bytes, expires_at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (module, name) DO UPDATE
  SET value = excluded.value, size_bytes = excluded.size_bytes, expires_at = excluded.expires_at`;
const UNCOUNT = `UPDATE storage_usage SET used_bytes = used_bytes - ${SIZE} WHERE module = ?`;
const DELETE = 'DELETE FROM storage_entries WHERE module = ? AND name = ? RETURNING expires_at';

/** Undefined: the entry alone is larger than all that the module may use. */
function putStatements(
  module: string,
  { key, value, expiresAt }: StorageEntry,
  maxBytes: number,
): readonly Statement[] | undefined {
  const bytes = ENTRY_BYTES + Buffer.byteLength(key) + Buffer.byteLength(value);
  if (bytes > maxBytes) return undefined;
  return [
    { sql: COUNT, params: [module, bytes, module, key, module, key, maxBytes], required: true },
    { sql: PUT, params: [module, key, value, bytes, expiresAt] },
  ];
}

function sweepStatements(now: number, module: string | undefined): Statement[] {
  const [whose, params] = module === undefined ? ['', [now]] : [' AND module = ?', [now, module]];
  const gone = `SELECT module, name, size_bytes FROM storage_entries WHERE expires_at <= ?${whose}
    ORDER BY expires_at, module, name LIMIT ${SWEPT_AT_ONCE}`;
  return [
    {
      sql: `UPDATE storage_usage SET used_bytes = used_bytes - (
          SELECT COALESCE(SUM(gone.size_bytes), 0) FROM (${gone}) AS gone WHERE gone.module = storage_usage.module)
        WHERE module IN (SELECT module FROM (${gone}) AS gone)`,
      params: [...params, ...params],
    },
    {
      sql: `DELETE FROM storage_entries WHERE (module, name) IN (SELECT module, name FROM (${gone}) AS gone)`,
      params,
    },
  ];
}

const LAST_CODE_POINT = 0x10ffff;
const FIRST_SURROGATE = 0xd800;
const AFTER_SURROGATES = 0xe000;

/** The first text after all that begin with the prefix, by code points; undefined when nothing comes after them. */
function endOfPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === LAST_CODE_POINT) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  return String.fromCodePoint(...points, last + 1 === FIRST_SURROGATE ? AFTER_SURROGATES : last + 1);
}
