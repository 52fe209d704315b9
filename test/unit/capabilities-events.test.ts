/** `events` and `notifications` of the host: what a hostile guest may send, and what it may not do. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CapabilityContext } from '../../runtime/capabilities/capability.ts';
import { createEventsCapability } from '../../runtime/capabilities/events.ts';
import { createNotificationsCapability } from '../../runtime/capabilities/notifications.ts';
import { type Permission, parsePermission } from '../../runtime/capabilities/permission.ts';
import { createPermissionGate } from '../../runtime/capabilities/permission-gate.ts';

const THREAD = {};
const CONTEXT = {
  module: 'demo',
  session: () => THREAD,
  signal: new AbortController().signal,
} as unknown as CapabilityContext;

function gateOf(...texts: readonly string[]) {
  const granted = texts.flatMap((text): Permission[] => {
    const read = parsePermission(text);
    return read.ok ? [read.permission] : [];
  });
  return createPermissionGate({ granted: () => granted });
}

async function end(work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return error instanceof PlexiError ? error.code : error;
  }
}

function events(...granted: readonly string[]) {
  const calls: unknown[][] = [];
  const methods = createEventsCapability(
    {
      emit: (...args) => {
        calls.push(['emit', ...args]);
        return { id: 'e1', subscribers: 2, secret: 'of the host' };
      },
      subscribe: (...args) => void calls.push(['subscribe', ...args]),
      unsubscribe: (...args) => void calls.push(['unsubscribe', ...args]),
    },
    gateOf(...granted),
  )(CONTEXT);
  return { calls, call: (method: string, ...args: unknown[]) => end(() => methods[method]?.(...args)) };
}

describe('events.emit of the host', () => {
  it('passes on who says what, written anew, and answers id and number only', async () => {
    const { calls, call } = events();
    expect(await call('emit', { name: 'module.demo.x', data: ' {"a":1e2,"__proto__":1} ' })).toEqual({
      id: 'e1',
      subscribers: 2,
    });
    expect(calls).toEqual([['emit', 'demo', 'module.demo.x', '{"a":100,"__proto__":1}']]);
  });

  it.each<[string, unknown]>([
    ['a name of the platform', { name: 'user.login', data: '1' }],
    ['the bare word', { name: 'module', data: '1' }],
    ['a star', { name: 'module.*', data: '1' }],
    ['no name', { data: '1' }],
    ['a name with a line break', { name: 'module.x\n', data: '1' }],
    ['a name that is too long', { name: `module.${'x'.repeat(130)}`, data: '1' }],
    ['a source of its own', { name: 'module.x', data: '1', source: 'chat-host' }],
    ['data that is no text', { name: 'module.x', data: { a: 1 } }],
    ['data that is no JSON', { name: 'module.x', data: '1}' }],
    ['data that nests too deep', { name: 'module.x', data: `${'['.repeat(61)}${']'.repeat(61)}` }],
    ['data that is too long', { name: 'module.x', data: JSON.stringify('x'.repeat(65_536)) }],
    ['data that grows', { name: 'module.x', data: `[${Array(13_000).fill('1e20').join(',')}]` }],
    ['nothing', undefined],
  ])('refuses %s', async (_what, request) => {
    const { calls, call } = events('events:subscribe:user.login');
    expect(await call('emit', request)).toBe('INVALID_CALL');
    expect(calls).toEqual([]);
  });

  it('never throws anything but its own errors, whatever it is given', async () => {
    const { calls, call } = events();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('emit', 'subscribe', 'unsubscribe'),
        fc.array(fc.anything()),
        async (method, args) => {
          expect(['INVALID_CALL', undefined]).toContain(await call(method, ...args));
        },
      ),
    );
    expect(calls.every(([method]) => method === 'unsubscribe')).toBe(true);
  });
});

describe('events.subscribe of the host', () => {
  it('names the thread, and asks for the permission of the pattern', async () => {
    const { calls, call } = events('events:subscribe:user.*');
    const subscribe = (pattern: string) => call('subscribe', { subscription: 1, pattern });
    expect(await subscribe('user.*')).toBeUndefined();
    expect(await subscribe('user.login')).toBeUndefined();
    expect(await subscribe('module.other.*')).toBeUndefined();
    expect(await subscribe('user.*.*')).toBe('PERMISSION_DENIED');
    expect(await subscribe('message.*')).toBe('PERMISSION_DENIED');
    expect(await subscribe('module')).toBe('PERMISSION_DENIED');
    expect(await subscribe('*')).toBe('INVALID_CALL');
    expect(
      calls.map(([, module, given]) => [
        module,
        Reflect.get(Object(given), 'pattern'),
        Reflect.get(Object(given), 'thread') === THREAD,
      ]),
    ).toEqual([
      ['demo', 'user.*', true],
      ['demo', 'user.login', true],
      ['demo', 'module.other.*', true],
    ]);
  });

  it.each([0, -1, 1.5, '1', 2 ** 53, null])('refuses the number %j', async (subscription) => {
    const { call } = events();
    expect(await call('subscribe', { subscription, pattern: 'module.x' })).toBe('INVALID_CALL');
    expect(await call('unsubscribe', subscription)).toBe('INVALID_CALL');
  });
});

describe('notifications.send of the host', () => {
  const open = (...granted: readonly string[]) => {
    const sent: unknown[] = [];
    const waiting: (() => void)[] = [];
    const methods = createNotificationsCapability(
      {
        send: (...args) =>
          new Promise((resolve) => {
            sent.push(args);
            waiting.push(() => resolve({ id: '7' }));
            if (!isHeld) waiting.pop()?.();
          }),
      },
      gateOf(...granted),
    )(CONTEXT);
    let isHeld = false;
    return {
      sent,
      hold: () => {
        isHeld = true;
      },
      release: () => {
        for (const one of waiting.splice(0)) one();
      },
      send: (request: unknown) => end(() => methods.send?.(request)),
    };
  };
  const GOOD = { userId: 'alice', title: 'Hi', message: '', type: 'info' };

  it('needs the permission before anything else', async () => {
    const { sent, send } = open('users:read');
    expect([await send(GOOD), await send(undefined)]).toEqual(['PERMISSION_DENIED', 'PERMISSION_DENIED']);
    expect(sent).toEqual([]);
  });

  it('passes on text that a database takes, under the name of the module', async () => {
    const { sent, send } = open('notifications:send');
    expect(await send({ ...GOOD, title: 'a\0b\ud800', message: '\udfff' })).toEqual({ id: '7' });
    expect(sent).toEqual([['demo', { ...GOOD, title: 'a\ufffdb\ufffd', message: '\ufffd' }]]);
  });

  it.each<[string, object]>([
    ['no user', { userId: '' }],
    ['a user that is too long', { userId: 'x'.repeat(257) }],
    ['no title', { title: '' }],
    ['a title that is too long', { title: 'x'.repeat(201) }],
    ['a message that is too long', { message: 'x'.repeat(4_001) }],
    ['another type', { type: 'urgent' }],
    ['a module', { module: 'other' }],
  ])('refuses %s', async (_what, part) => {
    const { sent, send } = open('notifications:send');
    expect(await send({ ...GOOD, ...part })).toBe('INVALID_CALL');
    expect(sent).toEqual([]);
  });

  it('holds only so many at once', async () => {
    const { hold, release, send } = open('notifications:send');
    hold();
    const ends = Array.from({ length: 103 }, () => send(GOOD));
    expect(await Promise.all(ends.slice(100))).toEqual(Array(3).fill('QUOTA_EXCEEDED'));
    release();
    expect(await Promise.all(ends.slice(0, 100))).toEqual(Array(100).fill({ id: '7' }));
    const next = send(GOOD);
    release();
    expect(await next).toEqual({ id: '7' });
  });
});
