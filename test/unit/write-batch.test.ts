import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { monotonicMs } from '../../runtime/state/monotonic.ts';
import { openDatabase } from '../../runtime/state/open-database.ts';
import { createWriteBatch } from '../../runtime/state/write-batch.ts';
import { tempFolder } from '../support/temp-folder.ts';

const TABLE = { id: '001-notes', sql: 'CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL)' };

function open() {
  const database = openDatabase(join(tempFolder(), 'state.db'), [TABLE]);
  onTestFinished(() => database.close());
  const add = (id: number, text = 'x', notAfter = monotonicMs() + 1_000) => ({
    statements: [{ sql: 'INSERT INTO notes (id, text) VALUES (?, ?)', params: [id, text] }],
    notAfter,
  });
  const ids = () =>
    database
      .prepare('SELECT id FROM notes ORDER BY id')
      .all()
      .map(({ id }) => id);
  return { database, write: createWriteBatch(database), add, ids };
}

describe('a batch of requests', () => {
  it('leaves out what nobody waits for any more', () => {
    const { write, add, ids } = open();
    const { results } = write([add(1), add(2, 'x', monotonicMs() - 10), add(3)]);
    expect(results.map(({ kind }) => kind)).toEqual(['done', 'unavailable', 'done']);
    expect(ids()).toEqual([1, 3]);
  });

  it('that a full disk cannot take is not written at all, and the next one works once there is room', () => {
    const { database, write, add, ids } = open();
    write([add(1)]);
    database.exec('PRAGMA max_page_count = 8');
    const full = write([add(2), add(3, 'x'.repeat(100_000)), add(4)]);
    expect(full.results).toEqual(Array(3).fill({ kind: 'unavailable', reason: 'its disk is full' }));
    expect(full.broken).toBeUndefined();
    expect(ids()).toEqual([1]);
    database.exec('PRAGMA max_page_count = 100000');
    expect(write([add(3, 'x'.repeat(100_000))]).results).toMatchObject([{ kind: 'done' }]);
  });

  it('ends the thread when the database does not work at all', () => {
    const { database, write, add } = open();
    database.close();
    const { results, broken } = write([add(1)]);
    expect(results).toMatchObject([{ kind: 'unavailable' }]);
    expect(broken).toMatch(/not open/);
    database.open();
  });
});
