import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openState, StateError, StatementError, type StateOptions } from '../../runtime/state/state.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const NOTES = {
  id: '001-notes',
  sql: 'CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL CHECK (length(text) < 1000000))',
};
const ADD = 'INSERT INTO notes (id, text) VALUES (?, ?)';

async function open(options: StateOptions & { folder?: string } = {}) {
  const { folder = tempFolder(), ...rest } = options;
  const lines: string[] = [];
  const write = (_facts: object, message: string): void => void lines.push(message);
  const state = await openState(folder, { warn: write, error: write }, { migrations: [NOTES], ...rest });
  onTestFinished(() => state.close());
  return { state, folder, lines };
}

const unavailable = (words: string) => ({ code: 'STATE_UNAVAILABLE', message: expect.stringContaining(words) });

describe('the state of a host', () => {
  it('gives rows and what was changed, statement by statement', async () => {
    const { state } = await open();
    const results = await state.run([
      { sql: ADD, params: [1, 'one'] },
      { sql: `${ADD} RETURNING id`, params: [2, 'two'] },
      { sql: 'UPDATE notes SET text = ?', params: ['same'] },
      { sql: 'SELECT id, text FROM notes ORDER BY id' },
    ]);
    expect(results).toEqual([
      { rows: [], changes: 1 },
      { rows: [{ id: 2 }], changes: 1 },
      { rows: [], changes: 2 },
      {
        rows: [
          { id: 1, text: 'same' },
          { id: 2, text: 'same' },
        ],
        changes: 0,
      },
    ]);
  });

  it('keeps what it acknowledged over a restart, and reads it at once on the thread that asks', async () => {
    const { state, folder } = await open();
    await state.run([{ sql: ADD, params: [1, 'one'] }]);
    expect(state.read('SELECT text FROM notes WHERE id = ?', [1])).toEqual([{ text: 'one' }]);
    await state.close();
    const again = await open({ folder });
    expect(await again.state.query('SELECT text FROM notes')).toEqual([{ text: 'one' }]);
  });

  it('takes numbers, texts, bytes and nothing', async () => {
    const { state } = await open();
    const bytes = new Uint8Array([0, 1, 255]);
    const [row] = await state.query('SELECT ? AS a, ? AS b, ? AS c, ? AS d', [1.5, 'ä\u0000b', bytes, null]);
    expect(row).toEqual({ a: 1.5, b: 'ä\u0000b', c: bytes, d: null });
  });

  it('does all of a request or nothing of it, and says which statement failed', async () => {
    const { state } = await open();
    await state.run([{ sql: ADD, params: [1, 'one'] }]);
    const twice = state.run([
      { sql: ADD, params: [2, 'two'] },
      { sql: ADD, params: [1, 'again'] },
    ]);
    await expect(twice).rejects.toMatchObject({ name: 'StatementError', code: 'CONSTRAINT', index: 1 });
    const wrong = state.run([{ sql: ADD, params: [3, 'three'] }, { sql: 'SELECT nothing' }]);
    await expect(wrong).rejects.toMatchObject({ code: 'SQL', index: 1 });
    expect(await state.query('SELECT id FROM notes')).toEqual([{ id: 1 }]);
  });

  it('rolls back when a statement that has to do something does nothing', async () => {
    const { state } = await open();
    const nobody = state.run([
      { sql: ADD, params: [1, 'one'] },
      { sql: 'UPDATE notes SET text = ? WHERE id = ?', params: ['x', 9], required: true },
    ]);
    await expect(nobody).rejects.toThrow(StatementError);
    await expect(nobody).rejects.toMatchObject({ code: 'REQUIRED', index: 1 });
    expect(await state.query('SELECT id FROM notes')).toEqual([]);
    await state.run([
      { sql: 'SELECT 1 AS one', required: true },
      { sql: ADD, params: [1, 'one'] },
    ]);
    expect(await state.query('SELECT id FROM notes')).toEqual([{ id: 1 }]);
  });

  it('keeps the good ones of requests that are written together', async () => {
    const { state } = await open();
    const asked = Array.from({ length: 100 }, (_, id) =>
      state.run([
        { sql: ADD, params: [id, 'first'] },
        { sql: ADD, params: [id + (id % 2 === 0 ? 1_000 : 0), 'second'] },
      ]),
    );
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBe(50);
    expect(await state.query('SELECT count(*) AS n FROM notes')).toEqual([{ n: 100 }]);
  });

  it('is for its owner only', async () => {
    const { state, folder } = await open();
    await state.run([{ sql: ADD, params: [1, 'one'] }]);
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o077, file).toBe(0);
  });

  it('does what was asked before it is closed, and refuses what comes later', async () => {
    const { state, folder } = await open();
    const asked = Array.from({ length: 200 }, (_, id) => state.run([{ sql: ADD, params: [id, 'x'] }]));
    await Promise.all([...asked, state.close()]);
    await expect(state.query('SELECT 1')).rejects.toMatchObject(unavailable('the host ends'));
    expect(() => state.read('SELECT 1')).toThrow('the host ends');
    const again = await open({ folder });
    expect(again.state.read('SELECT count(*) AS n FROM notes')).toEqual([{ n: 200 }]);
  });

  it('refuses more than it can hold, and goes on', async () => {
    const { state } = await open();
    const text = 'x'.repeat(900_000);
    const asked = Array.from({ length: 100 }, (_, id) => state.run([{ sql: ADD, params: [id, text] }]));
    const outcomes = await Promise.allSettled(asked);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeGreaterThan(50);
    for (const { reason } of refused) expect(reason).toMatchObject(unavailable('too much waits to be written'));
    expect(await state.query('SELECT count(*) AS n FROM notes')).toEqual([{ n: 100 - refused.length }]);
    const many = await Promise.allSettled(Array.from({ length: 11_000 }, () => state.query('SELECT 1')));
    expect(many.filter(({ status }) => status === 'rejected').length).toBe(1_000);
  });
});

describe('the thread of the state', () => {
  it('is started again when it dies: what was acknowledged is there, what was under way is told', async () => {
    const { state, lines } = await open({ firstRestartMs: 10 });
    await state.run([{ sql: ADD, params: [1, 'one'] }]);
    const underWay = state.run([{ sql: ADD, params: [2, 'two'] }]);
    state.terminateThread('a test');
    await expect(underWay).rejects.toMatchObject(unavailable('may have been done or not'));
    // Who asks now waits for the next thread.
    expect(await state.query('SELECT id FROM notes WHERE id = 1')).toEqual([{ id: 1 }]);
    expect(state.read('SELECT id FROM notes WHERE id = 1')).toEqual([{ id: 1 }]);
    expect(lines).toEqual(['the thread of state.db ended; it is started again', 'the thread of state.db works again']);
  });

  it('is missing for a while when its file is: requests are refused, and it comes back', async () => {
    const { state, folder, lines } = await open({ firstRestartMs: 10 });
    await state.run([{ sql: ADD, params: [1, 'one'] }]);
    const file = join(folder, 'state.db');
    renameSync(file, `${file}.away`);
    mkdirSync(file);
    state.terminateThread('a test');
    await until(() => lines.includes('state.db cannot be opened; it is tried again'));
    await expect(state.query('SELECT 1')).rejects.toMatchObject(unavailable('its thread is not running'));
    rmdirSync(file);
    renameSync(`${file}.away`, file);
    await until(() => lines.includes('the thread of state.db works again'));
    expect(await state.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('a state that another process writes to', () => {
  it('refuses what it could not begin in time, and works when the other is done', { timeout: 60_000 }, async () => {
    const { state, folder, lines } = await open();
    const other = new DatabaseSync(join(folder, 'state.db'));
    onTestFinished(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    const first = state.run([{ sql: ADD, params: [1, 'one'] }]);
    await expect(first).rejects.toMatchObject(unavailable('another process is writing'));
    // Reading goes on.
    expect(state.read('SELECT id FROM notes')).toEqual([]);
    other.exec('COMMIT');
    await state.run([{ sql: ADD, params: [1, 'one'] }]);
    expect(state.read('SELECT id FROM notes')).toEqual([{ id: 1 }]);
    expect(lines).toEqual([]);
  });

  it('is read as it is at each turn: one turn sees one state, what was acknowledged is always seen', async () => {
    const { state } = await open();
    for (let id = 0; id < 50; id++) {
      const written = state.run([{ sql: ADD, params: [id, 'x'] }]);
      const counts = [0, 1].map(() => state.read('SELECT count(*) AS n FROM notes')[0]?.n);
      expect(counts[0]).toBe(counts[1]);
      await written;
      expect(state.read('SELECT count(*) AS n FROM notes')).toEqual([{ n: id + 1 }]);
    }
  });
});

describe('a database that cannot be used', () => {
  const refusal = async (folder: string, options: StateOptions = {}): Promise<string> => {
    const failed = openState(folder, { warn: () => {}, error: () => {} }, { migrations: [NOTES], ...options });
    await expect(failed).rejects.toThrow(StateError);
    return failed.then(
      () => '',
      ({ message }: Error) => message,
    );
  };

  it('is refused when it is newer, and says what was added', async () => {
    const { state, folder } = await open({ migrations: [NOTES, { id: '999-moods', sql: 'CREATE TABLE moods (a)' }] });
    await state.close();
    expect(await refusal(folder)).toMatch(/written by a newer version of the host, which added 999-moods\. Start that/);
  });

  it('is brought up to date when it is older, also where a step of a lower number is new', async () => {
    const { state, folder } = await open({ migrations: [{ id: '005-later', sql: 'CREATE TABLE later (a)' }] });
    await state.close();
    const again = await open({ folder, migrations: [NOTES, { id: '005-later', sql: 'CREATE TABLE later (a)' }] });
    expect(await again.state.query('SELECT id FROM schema_steps ORDER BY id')).toEqual([
      { id: '001-notes' },
      { id: '005-later' },
    ]);
  });

  it('is left as it was when a step of the schema fails', async () => {
    const { state, folder } = await open();
    await state.close();
    const broken = { id: '002-broken', sql: 'CREATE TABLE fine (a); CREATE TABLE notes (a)' };
    expect(await refusal(folder, { migrations: [NOTES, broken] })).toMatch(/cannot be opened: .*notes/);
    const again = await open({ folder });
    expect(await again.state.query("SELECT name FROM sqlite_master WHERE name = 'fine'")).toEqual([]);
  });

  it.each([
    ['is something else', (file: string) => writeFileSync(file, 'dear diary '.repeat(1_000))],
    ['lost its end', (file: string) => truncateSync(file, 4_096 * 3)],
    ['has a hole', (file: string) => writeFileSync(file, readFileSync(file).fill(0, 4_096, 4_096 * 6))],
  ])('is refused as damaged when it %s', async (_how, damage) => {
    const { state, folder } = await open();
    for (let id = 0; id < 50; id++) await state.run([{ sql: ADD, params: [id, 'x'.repeat(2_000)] }]);
    await state.close();
    damage(join(folder, 'state.db'));
    expect(await refusal(folder)).toMatch(/state\.db is damaged .* Restore it from a backup/);
  });

  it('is refused when it may not be written', async () => {
    const { state, folder } = await open();
    await state.close();
    // Nothing is closed to root but a file that is marked so, which few file systems can.
    if (process.getuid?.() === 0) return;
    chmodSync(join(folder, 'state.db'), 0o400);
    expect(await refusal(folder)).toMatch(/cannot be opened: EACCES/);
  });

  it('is refused when a folder is in its place', async () => {
    expect(await refusal(tempFolder({ 'state.db/x': '' }))).toMatch(/cannot be opened: EISDIR/);
  });
});
