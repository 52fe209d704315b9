import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CellRoom, openCellRoom } from '../support/cell-room.ts';
import { until } from '../support/until.ts';

let room: CellRoom;
beforeAll(async () => {
  room = await openCellRoom();
});
afterAll(() => room.close());

describe('the log lines of one turn', () => {
  it('all arrive, however deep or huge their fields are, and cost no answer its way', async () => {
    const guest = await room.boot(`
      onlog() {
        const deep = JSON.parse('['.repeat(3000) + ']'.repeat(3000));
        for (let line = 0; line < 20; line++) this.logger.info('huge', { text: 'x'.repeat(1e6), deep });
        this.logger.info('small', { a: 1 });
        return { ok: 1 };
      }`);
    expect(await guest.json('log')).toEqual({ ok: 1 });
    await until(() => guest.lines.length === 21);
    expect(guest.lines.at(-1)).toEqual({ level: 'info', message: 'small', fields: { a: 1 } });
    expect(JSON.stringify(guest.lines[0]?.fields).length).toBeLessThan(9_000);
    expect(guest.violations).toEqual([]);
  });

  it('are dropped and counted when they are more than the host takes', async () => {
    const guest = await room.boot(`
      onlog() {
        for (let line = 0; line < 1000; line++) this.logger.info('x'.repeat(8000));
        return { ok: 1 };
      }`);
    expect(await guest.json('log')).toEqual({ ok: 1 });
    await until(() => guest.lines.some(({ message }) => message.includes('log lines were dropped')));
    expect(guest.lines.length).toBeLessThan(50);
    expect(guest.instance.alive).toBe(true);
  });
});
