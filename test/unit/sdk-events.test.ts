/** Events and notifications as authors meet them: in the sdk, and in the harness. */
import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';
import { loadAuthorCode } from '../support/author-module.ts';

const GREETER = `
import { BaseModule, moduleEndpoint, moduleEvent, sendNotification } from '@plexichat/sdk';
export default class Greeter extends BaseModule {
  heard = [];
  @moduleEvent('user.login') @moduleEvent('user.*') async onUser(data, event) {
    this.heard.push([data, event.name, event.source, event.at, typeof event.id, event.signal.aborted]);
    await this.sendNotification({ userId: data.user_id, title: 'Hello' });
  }
  @moduleEvent('module.other.*') onOther() { throw new Error('no'); }
  @moduleEndpoint('POST /try') async try({ body: [what, ...args] }) {
    const handler = (data, { source }) => void this.heard.push([data, source]);
    const tries = {
      emit: () => this.events.emit(...args),
      emitMap: () => this.events.emit('module.x', new Map()),
      emitLoop: () => { const loop = {}; loop.self = loop; return this.events.emit('module.x', loop); },
      subscribe: async () => { this.last = await this.events.subscribe(args[0], args[1] ?? handler); return {}; },
      unsubscribe: async () => { await this.last.unsubscribe(); await this.last.unsubscribe(); return {}; },
      send: () => this.sendNotification(...args),
      sendFree: () => sendNotification(...args),
    };
    try {
      return (await tries[what]()) ?? {};
    } catch (error) {
      return { name: error.name, message: error.message };
    }
  }
}`;

async function greeter() {
  const { default: Module } = await loadAuthorCode(GREETER);
  const harness = await createModuleHarness(Module);
  const attempt = async (...body: unknown[]) => (await harness.request('POST', '/try', { body })).json();
  return { harness, attempt, heard: () => Reflect.get(harness.module as object, 'heard') as unknown[] };
}

describe('harness.emit', () => {
  it('calls each handler once with the data, gone through JSON, and the words of the host', async () => {
    const { harness, heard } = await greeter();
    const at = new Date('2026-01-01T00:00:00Z');
    const end = await harness.emit('user.login', { user_id: 'alice', when: new Date(0) }, { at });
    expect(end).toEqual({ handlers: 1, failures: [] });
    expect(heard()).toEqual([
      [
        { user_id: 'alice', when: '1970-01-01T00:00:00.000Z' },
        'user.login',
        'chat-host',
        '2026-01-01T00:00:00.000Z',
        'string',
        false,
      ],
    ]);
    expect(harness.notifications).toEqual([{ userId: 'alice', title: 'Hello', message: '', type: 'info' }]);
  });

  it('says which handler failed, and how; nobody at all is no failure', async () => {
    const { harness } = await greeter();
    expect(await harness.emit('module.other.x')).toEqual({
      handlers: 1,
      failures: ['Greeter.onOther failed: Error: no'],
    });
    expect(await harness.emit('user.login', null)).toMatchObject({ handlers: 1, failures: [expect.any(String)] });
    expect(await harness.emit('nobody.listens', {})).toEqual({ handlers: 0, failures: [] });
  });

  it('refuses what could be no event', async () => {
    const { harness } = await greeter();
    await expect(harness.emit('User.login')).rejects.toThrow('"User.login" is no name');
    await expect(harness.emit('user.login', new Map())).rejects.toThrow('is not JSON: a Map');
  });
});

describe('this.events', () => {
  it('emits what the harness collects', async () => {
    const { harness, attempt } = await greeter();
    expect(await attempt('emit', 'module.greeter.done', { a: 1 })).toEqual({ id: 'test-event-1', subscribers: 0 });
    await attempt('emit', 'module.greeter.bare');
    expect(harness.emitted).toEqual([
      { id: 'test-event-1', name: 'module.greeter.done', data: { a: 1 } },
      { id: 'test-event-2', name: 'module.greeter.bare', data: null },
    ]);
  });

  it.each([
    [['emit', 'user.login'], 'begins with "module."'],
    [['emit', 'module.*'], 'begins with "module."'],
    [['emit', 7], 'found 7'],
    [['emitMap'], 'a Map'],
    [['emitLoop'], 'contains itself'],
    [['emit', 'module.x', 'x'.repeat(65_536)], 'at most 65536 are allowed. Store what is large'],
    [['subscribe', '*'], 'is not the first'],
    [['subscribe', 'user.*', 'handler'], 'the handler must be a function'],
  ])('says what is wrong with %j', async (given, words) => {
    const { harness, attempt } = await greeter();
    expect(await attempt(...given)).toEqual({ name: 'TypeError', message: expect.stringContaining(words) });
    expect(harness.emitted).toEqual([]);
  });

  it('subscribes until it is taken back', async () => {
    const { harness, attempt, heard } = await greeter();
    await attempt('subscribe', 'message.*');
    expect(await harness.emit('message.sent', 1)).toEqual({ handlers: 1, failures: [] });
    expect(await harness.emit('message.sent', 2, { source: 'x' })).toEqual({ handlers: 1, failures: [] });
    expect(heard()).toEqual([
      [1, 'chat-host'],
      [2, 'x'],
    ]);
    await attempt('unsubscribe');
    expect(await harness.emit('message.sent', 3)).toEqual({ handlers: 0, failures: [] });
  });
});

describe('sendNotification', () => {
  it('is a method and a function', async () => {
    const { harness, attempt } = await greeter();
    expect(await attempt('send', { userId: 'a', title: 'x', message: 'y', type: 'error' })).toEqual({ id: '1' });
    expect(await attempt('sendFree', { userId: 'b', title: 'z' })).toEqual({ id: '2' });
    expect(harness.notifications.map(({ userId, type }) => [userId, type])).toEqual([
      ['a', 'error'],
      ['b', 'info'],
    ]);
  });

  it.each<[unknown, string]>([
    [undefined, 'takes an object such as'],
    [{ title: 'x' }, 'userId must be a text of 1 to 256'],
    [{ userId: 'a', title: '' }, 'title must be a text of 1 to 200'],
    [{ userId: 'a', title: 'x'.repeat(300) }, 'found 300'],
    [{ userId: 'a', title: 'x', message: 7 }, 'message must be a text'],
    [{ userId: 'a', title: 'x', type: 'urgent' }, '"info", "success", "warning", "error", found "urgent"'],
    [{ user_id: 'a', title: 'x' }, 'there is no "user_id"; allowed are userId'],
  ])('says what is wrong with %j', async (input, words) => {
    const { harness, attempt } = await greeter();
    for (const way of ['send', 'sendFree']) {
      expect(await attempt(way, input ?? null)).toEqual({ name: 'TypeError', message: expect.stringContaining(words) });
    }
    expect(harness.notifications).toEqual([]);
  });
});

it('a decorator with what is no pattern names the class and the method', async () => {
  const { default: Module } = await loadAuthorCode(`
    import { BaseModule, moduleEvent } from '@plexichat/sdk';
    export default class Broken extends BaseModule { @moduleEvent('User.*') onUser() {} }`);
  await expect(createModuleHarness(Module)).rejects.toThrow(
    /Broken\.onUser: @moduleEvent takes a name.*found "User\.\*"/,
  );
});
