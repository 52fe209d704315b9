/** How far a module's database may fill the disk that it shares with the host's own state. */
import { DatabaseSync } from 'node:sqlite';
import { type DiskSpace, isAmple, PAGE_BYTES, pagesFor } from '@plexichat/sdk/database/disk-space';
import { ModuleDatabase } from '@plexichat/sdk/database/module-database';
import { SQLITE_OPTIONS, type SqliteConnection } from '@plexichat/sdk/database/sqlite';
import type { SqlResult } from '@plexichat/sdk/protocol/capabilities/db';
import { type Manifest, ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { openDatabaseOf } from '../../runtime/compose/databases.ts';
import { spaceOf } from '../../runtime/data-cell/space-of.ts';
import { reserveOf } from '../../runtime/state/disk-reserve.ts';
import { NOTES } from '../support/database-room.ts';

const MB = 1024 * 1024;
const QUOTA_MB = 8;
const AMPLE: DiskSpace = { freeBytes: 1024 * MB, reserveBytes: 64 * MB };

function open() {
  const disk = { ...AMPLE, asked: 0 };
  const connection = new DatabaseSync(':memory:', SQLITE_OPTIONS) as unknown as SqliteConnection;
  const space = () => {
    disk.asked += 1;
    return disk;
  };
  const database = new ModuleDatabase({ connection, tables: NOTES, quotaMb: QUOTA_MB, space });
  const run = (sql: string) => JSON.parse(database.run({ sql, params: [] })) as SqlResult;
  const insert = () => run(`INSERT INTO notes (text) VALUES ('${'x'.repeat(100_000)}')`);
  const codeOf = (work: () => unknown) => {
    try {
      work();
      return 'done';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const fill = () => {
    for (let row = 0; row < 1_000; row++) {
      const code = codeOf(insert);
      if (code !== 'done') return { row, code };
    }
    return expect.fail('it has no end');
  };
  const count = () => run('SELECT count(*) FROM notes')[2][0]?.[0];
  return { database, disk, run, insert, fill, codeOf, count };
}

describe('a database on a disk that is nearly full', () => {
  it('is refused with words of the disk, in one statement as in many, and can still be read', () => {
    const at = open();
    at.insert();
    Object.assign(at.disk, { freeBytes: 64 * MB + 100_000 });
    expect(at.codeOf(at.insert)).toBe('DATABASE_UNAVAILABLE');
    expect(at.insert).toThrow('The disk of the host is nearly full');
    const one = `INSERT INTO notes (text) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) SELECT '${'x'.repeat(4_000)}' FROM n`;
    expect(at.codeOf(() => at.run(one))).toBe('DATABASE_UNAVAILABLE');
    expect(at.count()).toBe(1);
  });

  it('may be changed where it is, and not grow, while the reserve is touched; then not even be changed', () => {
    const at = open();
    for (let row = 0; row < 10; row++) at.insert();
    Object.assign(at.disk, { freeBytes: 63 * MB });
    expect(at.codeOf(at.insert)).toBe('DATABASE_UNAVAILABLE');
    at.run('DELETE FROM notes WHERE id > 2');
    // What was given up is used again.
    at.insert();
    Object.assign(at.disk, { freeBytes: 32 * MB });
    expect(at.codeOf(() => at.run('DELETE FROM notes'))).toBe('DATABASE_UNAVAILABLE');
    expect(at.count()).toBe(3);
  });

  it('grows to its quota again when there is room', () => {
    const at = open();
    Object.assign(at.disk, { freeBytes: 0 });
    expect(at.fill()).toEqual({ row: 0, code: 'DATABASE_UNAVAILABLE' });
    Object.assign(at.disk, AMPLE);
    const { row, code } = at.fill();
    expect([code, row > 60]).toEqual(['QUOTA_EXCEEDED', true]);
    expect(at.insert).toThrow('database.quota_mb');
  });

  it('costs reads nothing', () => {
    const at = open();
    const before = at.disk.asked;
    at.count();
    expect(at.disk.asked).toBe(before);
  });

  it('keeps its transaction when a statement of it is refused for want of room', () => {
    const at = open();
    at.database.begin();
    at.run("INSERT INTO notes (text) VALUES ('kept')");
    Object.assign(at.disk, { freeBytes: 0 });
    expect(at.codeOf(at.insert)).toBe('DATABASE_UNAVAILABLE');
    at.database.commit();
    expect(at.count()).toBe(1);
  });

  it('cannot be made, and says why', () => {
    const connection = new DatabaseSync(':memory:', SQLITE_OPTIONS) as unknown as SqliteConnection;
    const space = () => ({ freeBytes: 0, reserveBytes: 64 * MB });
    expect(() => new ModuleDatabase({ connection, tables: NOTES, quotaMb: 1, space })).toThrow(
      'The disk of the host is nearly full',
    );
  });
});

const bytes = fc.integer({ min: 0, max: 2 ** 42 });
const pageCount = fc.integer({ min: 1, max: 262_144 });

it('whatever a statement does, two of them leave half of the reserve', () => {
  fc.assert(
    fc.property(bytes, bytes, pageCount, pageCount, (freeBytes, reserveBytes, pages, quota) => {
      const allowed = pagesFor({ freeBytes, reserveBytes }, pages, quota);
      if (allowed === undefined) return;
      const grown = Math.max(0, allowed - pages);
      const most = (pages + 2 * grown) * PAGE_BYTES;
      expect(freeBytes - 2 * most).toBeGreaterThanOrEqual(reserveBytes / 2 - PAGE_BYTES);
      if (freeBytes <= reserveBytes) expect(grown).toBe(0);
    }),
  );
});

it('where there is ample room the quota is all that counts', () => {
  fc.assert(
    fc.property(bytes, bytes, pageCount, fc.double({ min: 0, max: 1, noNaN: true }), (free, reserve, quota, share) => {
      const space = { freeBytes: free, reserveBytes: reserve };
      fc.pre(isAmple(space, quota));
      expect(pagesFor(space, Math.ceil(quota * share), quota)).toBe(quota);
    }),
    { numRuns: 1_000 },
  );
});

it('a disk keeps 1 GiB for the host, a small one its twentieth', () => {
  expect([reserveOf(1024 ** 4), reserveOf(10 * 1024 ** 3)]).toEqual([1024 ** 3, 512 * MB]);
  expect(spaceOf('/')).toEqual({ freeBytes: expect.any(Number), reserveBytes: expect.any(Number) });
  expect(() => spaceOf('/there/is/none')).toThrow(/^The disk does not say [^/]*$/);
});

describe('the quota that a module names itself', () => {
  const declare = async (quota_mb: number) => {
    const declared: unknown[] = [];
    const lines: unknown[] = [];
    const manifest = Value.Default(ManifestSchema, {
      module_name: 'evil',
      module_version: '1.0.0',
      database: { enabled: true, quota_mb },
    }) as Manifest;
    await openDatabaseOf(
      { declare: async (module, { quotaMb }) => void declared.push([module, quotaMb]) },
      manifest,
      { databases: { max_quota_mb: 1_024, query_seconds: 2, transaction_seconds: 5, memory_mb: 256 } },
      { warn: (...line: unknown[]) => void lines.push(line) },
    );
    return { declared, lines };
  };

  it('is what it gets, up to what the operator allows', async () => {
    expect(await declare(1_024)).toEqual({ declared: [['evil', 1_024]], lines: [] });
  });

  it('is cut beyond that, with a warning that names both', async () => {
    const { declared, lines } = await declare(102_400);
    expect(declared).toEqual([['evil', 1_024]]);
    expect(lines).toEqual([
      [{ module: 'evil' }, expect.stringMatching(/102400 MB; it gets 1024, as databases\.max_quota_mb/)],
    ]);
  });
});
