/** Notifications in a real state: kept within bounds, each user's own. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NotificationFeed } from '../../runtime/notifications/notification-feed.ts';
import { NotificationRoom, type NotificationSettings } from '../../runtime/notifications/notification-room.ts';
import { NotificationStore } from '../../runtime/notifications/notification-store.ts';
import { type HostState, openState } from '../../runtime/state/state.ts';
import { tempFolder } from '../support/temp-folder.ts';

let state: HostState;
let now = 0;
beforeEach(async () => {
  now = Date.parse('2026-01-01T00:00:00Z');
  state = await openState(tempFolder({}), { warn: () => {}, error: () => {} });
});
afterEach(() => state.close());

const SETTINGS: NotificationSettings = { perMinute: 10_000, keepPerUser: 20, keepMs: 1_000_000, streamsPerUser: 2 };
const room = (settings: Partial<NotificationSettings> = {}) =>
  new NotificationRoom(state, { ...SETTINGS, ...settings }, () => now);
const words = (userId: string, title = 'Hi') => ({ userId, title, message: '', type: 'info' as const });
const all = { unreadOnly: false, limit: 100 };
const titles = async (from: NotificationRoom, user: string, query = {}) =>
  (await from.list(user, { ...all, ...query })).notifications.map(({ title }) => title);

describe('a notification', () => {
  it('is listed newest first, page by page, for its user only', async () => {
    const rooms = room();
    for (const title of ['1', '2', '3']) await rooms.send('demo', words('alice', title));
    await rooms.send('demo', words('bob', 'other'));
    expect(await titles(rooms, 'alice')).toEqual(['3', '2', '1']);
    const page = await rooms.list('alice', { ...all, limit: 2 });
    expect([page.notifications.map(({ title }) => title), page.unread]).toEqual([['3', '2'], 3]);
    const rest = await rooms.list('alice', { ...all, limit: 2, before: Number(page.next) });
    expect([rest.notifications.map(({ title }) => title), rest.next]).toEqual([['1'], null]);
    expect(await titles(rooms, 'mallory')).toEqual([]);
  });

  it('is read once, by its user', async () => {
    const rooms = room();
    const { id } = await rooms.send('demo', words('alice'));
    await expect(rooms.markRead('bob', Number(id))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const first = await rooms.markRead('alice', Number(id));
    now += 5_000;
    expect(await rooms.markRead('alice', Number(id))).toEqual(first);
    expect(await titles(rooms, 'alice', { unreadOnly: true })).toEqual([]);
    expect((await rooms.list('alice', all)).unread).toBe(0);
  });

  it('has a greater id than all before it, also when the clock is set back', async () => {
    const rooms = room();
    const ids: number[] = [];
    for (let each = 0; each < 5; each++) {
      ids.push(Number((await rooms.send('demo', words('alice'))).id));
      now -= 1_000;
    }
    expect(ids).toEqual(ids.toSorted((one, other) => one - other));
    expect(new Set(ids).size).toBe(5);
    expect(ids.every(Number.isSafeInteger)).toBe(true);
  });
});

describe('what is kept', () => {
  it('is bounded for a user, and one module pushes out its own', async () => {
    const rooms = room();
    await rooms.send('quiet', words('alice', 'keep me'));
    for (let each = 0; each < 30; each++) await rooms.send('loud', words('alice', String(each)));
    expect(await titles(rooms, 'alice')).toEqual(['29', '28', '27', '26', 'keep me']);
    for (let module = 0; module < 10; module++) {
      for (let each = 0; each < 4; each++) await rooms.send(`m${module}`, words('alice'));
    }
    expect(await titles(rooms, 'alice')).toHaveLength(20);
  });

  it('is bounded for a module, whatever users it invents, and by age', async () => {
    const store = new NotificationStore(
      state,
      { perUser: 10, perUserAndModule: 10, perModule: 50, keepMs: 1_000 },
      () => now,
    );
    const count = async () => Number((await state.query('SELECT COUNT(*) AS n FROM notifications'))[0]?.n);
    const send = (user: string) => store.add(user, { module: 'demo', type: 'info', title: 'x', message: '' });
    for (let each = 0; each < 201; each++) await send(`user-${each}`);
    expect(await count()).toBe(50);
    now += 2_000;
    expect(await store.list('user-200', all)).toEqual([]);
    for (let each = 0; each < 100; each++) await send('alice');
    expect(await count()).toBe(10);
  });

  it('is sent at a rate', async () => {
    const rooms = room({ perMinute: 3 });
    const ends = await Promise.allSettled(Array.from({ length: 5 }, () => rooms.send('demo', words('alice'))));
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(2);
    await expect(rooms.send('demo', words('alice'))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await rooms.send('other', words('alice'));
  });

  it('outlives the host', async () => {
    const folder = tempFolder({});
    const log = { warn: () => {}, error: () => {} };
    const first = await openState(folder, log);
    await new NotificationRoom(first, SETTINGS).send('demo', words('alice'));
    await first.close();
    const second = await openState(folder, log);
    expect((await new NotificationRoom(second, SETTINGS).list('alice', all)).notifications).toHaveLength(1);
    await second.close();
  });
});

describe('who waits for notifications', () => {
  it('is told of their own as they come, and nothing after they left', async () => {
    const rooms = room();
    const told: string[] = [];
    const leave = rooms.listen('alice', { onNotification: ({ title }) => told.push(title), onEnd: () => {} });
    await rooms.send('demo', words('alice', '1'));
    await rooms.send('demo', words('bob', '2'));
    leave();
    leave();
    await rooms.send('demo', words('alice', '3'));
    expect(told).toEqual(['1']);
  });

  it('is bounded for each user and in all, and let go when the host ends', () => {
    const feed = new NotificationFeed({ perUser: 2, total: 3 });
    const ended: string[] = [];
    const listen = (user: string) =>
      feed.listen(user, { onNotification: () => {}, onEnd: () => void ended.push(user) });
    const leave = listen('alice');
    listen('alice');
    expect(() => listen('alice')).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
    listen('bob');
    expect(() => listen('carol')).toThrow(expect.objectContaining({ code: 'HOST_SHEDDING' }));
    leave();
    expect(feed.size).toBe(2);
    listen('alice');
    feed.close();
    expect(ended.sort()).toEqual(['alice', 'alice', 'bob']);
    expect(() => listen('dave')).toThrow(expect.objectContaining({ code: 'HOST_SHEDDING' }));
  });
});
