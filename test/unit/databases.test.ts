/** Who is served when, who is to blame, and what becomes of the others; the data cells are scripts. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Databases } from '../../runtime/databases/databases.ts';
import { Penalty } from '../../runtime/databases/penalty.ts';
import { scriptDataCells } from '../support/scripted-data-cell.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const DECLARATION = { tables: [], quotaMb: 1 };
const NEVER = new AbortController().signal;
const statements = (...sql: string[]) => sql.map((text) => ({ sql: text, params: [] }));

const opened: Databases[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(opened.splice(0).map((databases) => databases.close()));
});

async function open({
  deadlineMs = 60_000,
  transactionMs = 60_000,
  isEager = false,
  modules = ['alpha', 'beta'],
} = {}) {
  const script = scriptDataCells({ isEager });
  const blames: string[] = [];
  const databases = new Databases({
    folder: tempFolder(),
    start: script.start,
    deadlineMs,
    transactionMs,
    onBlame: (module, why) => blames.push(`${module}: ${why}`),
    onTrouble: () => {},
  });
  opened.push(databases);
  for (const module of modules) await databases.declare(module, DECLARATION);
  const first = script.cells[0];
  if (first === undefined) throw new Error('No data cell was started.');
  return { databases, script, cells: script.cells, cell: first, blames };
}

const modulesOf = (requests: readonly { module: string }[]) => requests.map(({ module }) => module);
const settled = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ code: error instanceof PlexiError ? error.code : String(error) }),
  );

describe('turns', () => {
  it('are taken by modules, not by calls: a thousand of one do not keep another waiting', async () => {
    const { databases, cell } = await open();
    const many = Array.from({ length: 100 }, () => databases.run('alpha', statements('a')));
    const one = databases.run('beta', statements('b'));
    expect(modulesOf(cell.waiting)).toEqual(['alpha', 'alpha', 'beta']);
    while (cell.waiting.length > 0) cell.answer();
    await Promise.all([...many, one]);
    expect(modulesOf(cell.seen).lastIndexOf('beta')).toBe(4);
  });

  it('are bounded: what is too much is refused', async () => {
    const { databases, cell } = await open();
    const calls = Array.from({ length: 514 }, () => settled(databases.run('alpha', statements('a'))));
    expect(await settled(databases.run('alpha', statements('a')))).toEqual({ code: 'QUOTA_EXCEEDED' });
    expect(cell.waiting).toHaveLength(2);
    expect(await settled(databases.run('beta', statements('x'.repeat(17 * 1024 * 1024))))).toEqual({
      code: 'QUOTA_EXCEEDED',
    });
    while (cell.waiting.length > 0) cell.answer();
    await Promise.all(calls);
  });

  it('that do not come in time end in a retryable error', async () => {
    const { databases } = await open();
    vi.useFakeTimers({ toFake: ['Date'] });
    const calls = Array.from({ length: 3 }, () => settled(databases.run('alpha', statements('a'))));
    vi.setSystemTime(Date.now() + 11_000);
    expect(await calls[2]).toEqual({ code: 'DATABASE_UNAVAILABLE' });
  });

  it('are for modules with a database', async () => {
    const { databases } = await open();
    expect(await settled(databases.run('gamma', statements('a')))).toEqual({ code: 'DATABASE_ERROR' });
  });
});

describe('a statement at its deadline', () => {
  it('is killed with the cell; its module is to blame, and others are read again', async () => {
    const { databases, cells, cell, blames } = await open({ deadlineMs: 80 });
    const endless = settled(databases.run('alpha', statements('endless')));
    const other = databases.run('beta', statements('select'));
    expect(await endless).toEqual({ code: 'DATABASE_TIMEOUT' });
    expect(cell.isDead).toBe(true);
    await until(() => cells[1]?.seen.length === 2);
    expect(cells[1]?.seen).toMatchObject([
      { op: 'open', module: 'beta' },
      { op: 'run', module: 'beta', retried: true },
    ]);
    cells[1]?.answer();
    expect(await other).toHaveLength(1);
    expect(blames).toEqual(['alpha: took longer than 0.08 s']);
  });

  it('is not alone in its call: what was answered before is kept', async () => {
    const { databases, cell } = await open({ deadlineMs: 80 });
    const call = databases.run('alpha', statements('quick', 'endless', 'never'));
    cell.say(cell.waiting[0]?.id ?? -1, false, ['result'], ['[]']);
    expect(await call).toMatchObject([{ result: '[]' }, { code: 'DATABASE_TIMEOUT' }, { code: 'DATABASE_TIMEOUT' }]);
  });

  it('has its module live apart from the others from then on', async () => {
    const { databases, cells } = await open({ deadlineMs: 80 });
    await settled(databases.run('alpha', statements('endless')));
    const [mine, others] = [databases.run('alpha', statements('a')), databases.run('beta', statements('b'))];
    await until(() => cells.length === 3 && cells.slice(1).every(({ waiting }) => waiting.length === 1));
    expect(cells.slice(1).map(({ seen }) => new Set(modulesOf(seen)))).toEqual(
      expect.arrayContaining([new Set(['alpha']), new Set(['beta'])]),
    );
    for (const cell of cells.slice(1)) cell.answer();
    await Promise.all([mine, others]);
  });

  it('is retried for others once: who loses two cells gets a retryable error', async () => {
    const { databases, cells } = await open({ deadlineMs: 80, modules: ['alpha', 'beta', 'gamma'] });
    const endless = [settled(databases.run('alpha', statements('1'))), settled(databases.run('beta', statements('2')))];
    const unlucky = settled(databases.run('gamma', statements('3')));
    expect(await Promise.all(endless)).toEqual([{ code: 'DATABASE_TIMEOUT' }, { code: 'DATABASE_TIMEOUT' }]);
    expect(await unlucky).toEqual({ code: 'DATABASE_UNAVAILABLE' });
    expect(cells.length).toBeGreaterThanOrEqual(2);
  });
});

it('a module that holds up others, though within its deadline, comes to live apart from them', async () => {
  const { databases, cells } = await open();
  const slow = Array.from({ length: 20 }, () => databases.run('alpha', statements('slow')));
  const others = Array.from({ length: 40 }, () => databases.run('beta', statements('quick')));
  vi.useFakeTimers({ toFake: ['performance'] });
  await until(() => {
    for (const cell of cells) {
      if (cell.waiting[0]?.module === 'alpha' && cell === cells[0]) vi.advanceTimersByTime(300);
      cell.answer();
    }
    return cells[1]?.seen.some(({ module }) => module === 'alpha') === true;
  });
  for (const cell of cells) while (cell.waiting.length > 0) cell.answer();
  await Promise.all([...slow, ...others]);
  expect(cells[1]?.seen.some(({ module }) => module === 'beta')).toBe(false);
});

describe('a module whose statements are killed again and again', () => {
  it('has to wait longer and longer, and is forgiven after a while', () => {
    let now = 0;
    const penalty = new Penalty(() => now);
    const waits: number[] = [];
    for (let kill = 0; kill < 10; kill++) {
      penalty.kill();
      waits.push(penalty.waitMs);
    }
    expect(waits).toEqual([0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    now = 11 * 60_000;
    penalty.kill();
    expect(penalty.waitMs).toBe(0);
  });

  it('is refused meanwhile, in words that say how long', async () => {
    const { databases } = await open({ deadlineMs: 60 });
    for (let kill = 0; kill < 3; kill++) await settled(databases.run('alpha', statements('endless')));
    await expect(databases.run('alpha', statements('a'))).rejects.toThrow(/killed several times.*again in 1 s/);
  });
});

describe('a transaction', () => {
  it('has the database to itself until it ends', async () => {
    const { databases, cell } = await open();
    const begun = databases.begin('alpha', NEVER);
    const outside = databases.run('alpha', statements('outside'));
    cell.answer();
    const id = await begun;
    const inside = databases.inside('alpha', id, statements('inside'));
    expect(cell.waiting).toMatchObject([{ op: 'run', inside: true }]);
    cell.answer();
    await inside;
    const ended = databases.end('alpha', id, 'commit');
    expect(cell.waiting).toMatchObject([{ op: 'commit' }, { op: 'run', inside: false }]);
    cell.answer();
    cell.answer();
    await Promise.all([ended, outside]);
    expect(await settled(databases.inside('alpha', id, statements('late')))).toEqual({ code: 'DATABASE_TIMEOUT' });
  });

  it('of another module cannot be used', async () => {
    const { databases } = await open({ isEager: true });
    const id = await databases.begin('alpha', NEVER);
    expect(await settled(databases.inside('beta', id, statements('a')))).toEqual({ code: 'DATABASE_TIMEOUT' });
    expect(await settled(databases.end('beta', id, 'commit'))).toEqual({ code: 'DATABASE_TIMEOUT' });
    await databases.end('alpha', id, 'commit');
  });

  it('is rolled back at its deadline, and then others get their turn', async () => {
    const { databases, cell } = await open({ isEager: true, transactionMs: 50 });
    const id = await databases.begin('alpha', NEVER);
    await databases.run('alpha', statements('outside'));
    expect(cell.seen.map(({ op }) => op).slice(-3)).toEqual(['begin', 'rollback', 'run']);
    expect(await settled(databases.end('alpha', id, 'commit'))).toEqual({ code: 'DATABASE_TIMEOUT' });
  });

  it('is rolled back when its owner ends, also while it begins', async () => {
    const { databases, cell } = await open();
    const owner = new AbortController();
    const begun = databases.begin('alpha', owner.signal);
    owner.abort();
    cell.answer();
    await begun;
    await until(() => cell.waiting.length === 1);
    expect(cell.waiting).toMatchObject([{ op: 'rollback' }]);
    cell.answer();
    const next = databases.run('alpha', statements('next'));
    expect(cell.waiting).toHaveLength(1);
    cell.answer();
    await next;
  });

  it('is gone with its cell, for everybody who waits for it', async () => {
    const { databases, cells, cell } = await open();
    const begun = databases.begin('alpha', NEVER);
    cell.answer();
    const id = await begun;
    const inside = Array.from({ length: 4 }, () => settled(databases.inside('alpha', id, statements('a'))));
    cell.die();
    expect(await Promise.all(inside)).toEqual(Array(4).fill({ code: 'DATABASE_UNAVAILABLE' }));
    expect(await settled(databases.end('alpha', id, 'commit'))).toEqual({ code: 'DATABASE_TIMEOUT' });
    const next = databases.run('alpha', statements('next'));
    await until(() => cells[1]?.waiting.length === 1);
    cells[1]?.answer();
    await next;
  });

  it('that could not begin blocks nobody', async () => {
    const { databases, cell } = await open();
    const begun = settled(databases.begin('alpha', NEVER));
    cell.answer(['DATABASE_UNAVAILABLE', 'The database is busy.']);
    expect(await begun).toEqual({ code: 'DATABASE_UNAVAILABLE' });
    const next = databases.run('alpha', statements('next'));
    cell.answer();
    await next;
  });
});

describe('a declaration', () => {
  it('that is refused leaves the tables that there are in use', async () => {
    const { databases, script, cell } = await open();
    script.opens = false;
    const changed = settled(databases.declare('alpha', { tables: [], quotaMb: 2 }));
    await until(() => cell.waiting.length === 1);
    cell.answer(['DATABASE_ERROR', 'would be lost']);
    expect(await changed).toEqual({ code: 'DATABASE_ERROR' });
    const next = databases.run('alpha', statements('next'));
    expect(cell.waiting).toMatchObject([{ op: 'open', declaration: DECLARATION }, { op: 'run' }]);
    cell.answer();
    cell.answer();
    await next;
  });

  it('that is the same again changes nothing', async () => {
    const { databases, cell } = await open();
    await databases.declare('alpha', { tables: [], quotaMb: 1 });
    expect(cell.waiting).toEqual([]);
  });
});

describe('a cell that is not what was started', () => {
  it.each([
    ['answers out of turn', -1, []],
    ['answers more than was asked', 0, ['result', 'result', 'result'] as const],
    ['answers less than was asked', 0, []],
  ])('%s and is killed', async (_what, offset, answers) => {
    const { databases, cell, blames } = await open();
    const call = settled(databases.run('alpha', statements('a')));
    cell.say((cell.waiting[0]?.id ?? 0) + offset, true, answers, ['[]']);
    await until(() => cell.isDead);
    expect((await call) as object).toMatchObject({});
    expect(blames.length).toBeLessThanOrEqual(1);
  });
});
