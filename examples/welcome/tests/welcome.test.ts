import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import WelcomeModule from '../module.ts';

const start = (storage: Record<string, unknown> = {}) =>
  createModuleHarness(WelcomeModule, { config: { settings: { round_number: 10 } }, fakes: { storage } });

describe('the welcome module', () => {
  it('welcomes a user who logs in for the first time, by name', async () => {
    const harness = await start();
    const end = await harness.emit('user.login', { user_id: 'alice', name: 'Ada' });
    expect(end).toEqual({ handlers: 1, failures: [] });
    expect(harness.notifications).toEqual([
      { userId: 'alice', title: 'Welcome, Ada!', message: 'Nice that you are here.', type: 'success' },
    ]);
  });

  it('counts each user for themselves, and tells other modules', async () => {
    const harness = await start();
    for (const user_id of ['alice', 'bob', 'alice']) await harness.emit('user.login', { user_id });
    expect(harness.notifications.map(({ userId, title }) => [userId, title])).toEqual([
      ['alice', 'Welcome!'],
      ['bob', 'Welcome!'],
      ['alice', 'Welcome back!'],
    ]);
    expect(harness.emitted.at(-1)).toMatchObject({
      name: 'module.welcome.greeted',
      data: { user_id: 'alice', logins: 2 },
    });
    expect(harness.stored).toEqual({ 'logins:alice': 2, 'logins:bob': 1 });
  });

  it('has a word for a round number', async () => {
    const harness = await start({ 'logins:alice': 9 });
    await harness.emit('user.login', { user_id: 'alice' });
    expect(harness.notifications[0]?.message).toBe('This is your login number 10.');
  });

  it('tells users how often they have logged in', async () => {
    const harness = await start({ 'logins:alice': 3 });
    const ask = async (id: string) => (await harness.request('GET', '/logins', { user: { id } })).json();
    expect([await ask('alice'), await ask('bob')]).toEqual([{ logins: 3 }, { logins: 0 }]);
  });

  it.each([null, 'alice', {}, { user_id: '' }, { user_id: 7 }, { user_id: 'x'.repeat(300) }])(
    'does nothing about a login of nobody: %j',
    async (data) => {
      const harness = await start();
      expect(await harness.emit('user.login', data)).toEqual({ handlers: 1, failures: [] });
      expect(harness.notifications).toEqual([]);
      expect(harness.logged).toMatchObject([{ level: 'warn', message: 'A login without a user' }]);
    },
  );
});
