/** A module that has left the sdk behind and calls the database's door itself, from a real cell to a real data cell. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabaseCapability } from '../../runtime/capabilities/db.ts';
import { createPermissionGate } from '../../runtime/capabilities/permission-gate.ts';
import { type CellRoom, type Guest, openCellRoom } from '../support/cell-room.ts';
import { type DatabaseRoom, openDatabaseRoom } from '../support/database-room.ts';
import { until } from '../support/until.ts';

let cells: CellRoom;
let room: DatabaseRoom;
beforeAll(async () => {
  // One after the other: each has its programs built.
  cells = await openCellRoom();
  room = await openDatabaseRoom({ deadlineMs: 500, transactionMs: 500 });
  await room.declare('victim');
  await room.run('victim', "INSERT INTO notes (text) VALUES ('secret')");
});
afterAll(() => Promise.all([cells.close(), room.close()]));

const gate = createPermissionGate({ granted: () => [{ capability: 'database' }] });

async function boot(name: string, body: string): Promise<Guest> {
  await room.declare(name);
  return cells.boot(body, { name, capabilities: { db: createDatabaseCapability(room.databases, gate) } });
}

const victim = async () => (await room.run('victim', 'SELECT text FROM notes'))[2];

describe('a hostile module', () => {
  it('reaches no other database, by whatever name', async () => {
    const guest = await boot(
      'thief',
      `async onTry() {
        const tries = [
          "SELECT * FROM victim.notes", "SELECT * FROM 'victim.db'.notes", "ATTACH 'victim.db' AS v",
          "ATTACH DATABASE ? AS v", "SELECT text FROM notes WHERE text = 'secret'",
        ];
        return Promise.all(tries.map((sql) => this.db.query(sql, sql.includes('?') ? ['victim.db'] : [])
          .catch((error) => error.code)));
      }`,
    );
    const outcomes = await guest.json<unknown[]>('Try');
    expect(outcomes).toEqual(['DATABASE_ERROR', 'DATABASE_ERROR', 'DATABASE_ERROR', 'DATABASE_ERROR', []]);
    expect(await victim()).toEqual([['secret']]);
  });

  it('that floods the door is refused, and the neighbour is served', async () => {
    const guest = await boot(
      'flood',
      `async onTry() {
        const codes = {};
        const all = Array.from({ length: 20000 }, (_, at) => this.db.query('SELECT ? AS at', [at]).then(
          () => 'answered', (error) => error.code));
        for (const outcome of await Promise.all(all)) codes[outcome] = (codes[outcome] ?? 0) + 1;
        return codes;
      }`,
    );
    const flood = guest.json<Record<string, number>>('Try', 20_000);
    for (let read = 0; read < 20; read++) expect(await victim()).toEqual([['secret']]);
    const codes = await flood;
    expect(Object.keys(codes).filter((code) => code !== 'answered' && code !== 'QUOTA_EXCEEDED')).toEqual([]);
    expect(codes.answered).toBeGreaterThan(1_000);
  });

  it('that keeps opening transactions holds up nobody but itself', async () => {
    const guest = await boot(
      'squatter',
      `async onTry() {
        const held = Array.from({ length: 5 }, () => this.db.transaction(() => new Promise(() => {})).catch(() => {}));
        return Promise.race([this.db.query('SELECT 1').then(() => 'answered', (error) => error.code), ...held]);
      }`,
    );
    const squat = guest.json('Try', 20_000);
    squat.catch(() => {});
    for (let read = 0; read < 20; read++) expect(await victim()).toEqual([['secret']]);
    guest.instance.terminate('terminated', 'the test is over');
    await guest.exit;
    await until(async () => (await room.run('squatter', 'SELECT 1').catch(() => undefined)) !== undefined);
  });

  it('whose thread ends in a transaction leaves nothing of it', async () => {
    const guest = await boot(
      'quitter',
      `async onTry() {
        await this.db.transaction(async (tx) => {
          await tx.execute("INSERT INTO notes (text) VALUES ('half')");
          this.logger.info('written');
          await new Promise(() => {});
        });
      }`,
    );
    guest.call('Try').catch(() => {});
    await until(() => guest.lines.some(({ message }) => message === 'written'));
    guest.instance.terminate('terminated', 'the test is over');
    await until(async () => {
      const answer = await room.run('quitter', 'SELECT count(*) FROM notes').catch(() => undefined);
      return answer?.[2][0]?.[0] === 0;
    });
  });

  it('cannot use a transaction of another instance that it has heard of', async () => {
    const id = await room.databases.begin('victim', new AbortController().signal);
    await expect(
      room.databases.inside('thief', id, [{ sql: "INSERT INTO notes (text) VALUES ('x')", params: [] }]),
    ).rejects.toThrow('no such transaction');
    await room.databases.end('victim', id, 'rollback');
  });
});
