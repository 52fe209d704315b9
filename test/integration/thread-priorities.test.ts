/** A thread that works without a break steps back behind others, and is given its place back when it rests. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CellRoom, openCellRoom } from '../support/cell-room.ts';
import { until } from '../support/until.ts';

describe.skipIf(process.platform !== 'linux')('a thread of a cell', () => {
  let room: CellRoom;
  beforeAll(async () => {
    room = await openCellRoom();
  });
  afterAll(() => room?.close());

  it('that works without a break is put behind all others until it rests; its cell’s own thread is not', async () => {
    const guest = await room.boot(
      `async onburn() {
        const end = Date.now() + 2500;
        while (Date.now() < end) { const turn = Date.now() + 50; while (Date.now() < turn); await new Promise((resolve) => setTimeout(resolve, 0)); }
        return {};
      }`,
    );
    const cell = guest.instance.cell.processId ?? 0;
    const priorities = (): number[] =>
      readdirSync(`/proc/${cell}/task`)
        .map(Number)
        .filter((thread) => thread !== cell)
        .map(getPriority);
    // Where the kernel has sessions, the priority of a thread says nothing to other sessions, such as the host's.
    const session = `/proc/${cell}/autogroup`;
    const sessionNice = (): number | undefined =>
      existsSync(session) ? Number(readFileSync(session, 'utf8').split(' ').at(-1)) : undefined;
    const burn = guest.json('burn');
    await until(() => priorities().filter((priority) => priority === 10).length >= 1);
    expect(getPriority(cell)).toBe(0);
    await until(() => [10, undefined].includes(sessionNice()));
    await burn;
    // Only root may give a priority back.
    if (process.getuid?.() === 0) await until(() => priorities().every((priority) => priority === 0));
    if (process.getuid?.() === 0) await until(() => [0, undefined].includes(sessionNice()));
    expect(guest.instance.alive).toBe(true);
  });
});
