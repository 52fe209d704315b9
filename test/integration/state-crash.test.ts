/** What was acknowledged is kept: a host that is killed in the middle of its writes has all of them afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openState } from '../../runtime/state/state.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const WRITER = fileURLToPath(new URL('../fixtures/state/writer.ts', import.meta.url));
const NUMBERS = [{ id: '001-numbers', sql: 'CREATE TABLE numbers (id BIGINT PRIMARY KEY, half TEXT NOT NULL)' }];
const quiet = { warn: () => {}, error: () => {} };

describe('kill -9 in the middle of 1,000 acknowledged writes', () => {
  test.each([999, 437, 1])('loses none of them, when it comes after %i', { timeout: 60_000 }, async (kill) => {
    const folder = tempFolder();
    await writeUntilKilled(folder, 0, kill);
    // Killed once more while it has a log of the first life to recover.
    const acknowledged = await writeUntilKilled(folder, 1_000_000, 1_000);
    expect(acknowledged.length).toBeGreaterThanOrEqual(1_000);
    const state = await openState(folder, quiet, { migrations: NUMBERS });
    const rows = await state.query('SELECT id, half FROM numbers');
    const kept = new Set(rows.map(({ id }) => Number(id)));
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    expect(rows.filter(({ half }) => half !== 'ab')).toEqual([]);
    await state.close();
  });
});

/** All numbers that were acknowledged so far, at least so many. */
async function writeUntilKilled(folder: string, first: number, atLeast: number): Promise<number[]> {
  const child = spawn(process.execPath, [WRITER, folder, String(first)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const closed = once(child, 'close');
  await until(() => child.exitCode !== null || readNotes(folder).length >= atLeast);
  child.kill('SIGKILL');
  await closed;
  expect(child.signalCode).toBe('SIGKILL');
  return readNotes(folder);
}

function readNotes(folder: string): number[] {
  const file = join(folder, 'acknowledged');
  // The last line may be cut off.
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1).map(Number) : [];
}
