/** The room of events with modules that are fakes: who hears what, in which order, and what is dropped. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EventBus, LATEST_CLAIM_MS } from '../../runtime/events/event-bus.ts';
import { type EventLimits, EventRoom } from '../../runtime/events/event-room.ts';
import type { HostEvent } from '../../runtime/events/host-event.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import { type FakeModule, fakeModule } from '../support/fake-modules.ts';

interface Opened {
  readonly room: EventRoom;
  readonly registry: Registry;
  readonly outcomes: string[];
  readonly warned: object[];
  readonly denied: Set<string>;
  receive(event: Partial<HostEvent>): void;
}

let clock = 0;
beforeEach(() => {
  clock = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function open(modules: readonly FakeModule[], limits: Partial<EventLimits> = {}, bus?: Partial<EventBus>): Opened {
  const registry = new Registry();
  for (const module of modules) registry.add(module);
  const outcomes: string[] = [];
  const warned: object[] = [];
  const denied = new Set<string>();
  let receive = (_event: HostEvent): void => {};
  const room = new EventRoom({
    limits: { emitsPerSecond: 1_000, maxWaiting: 10, maxTimeoutMs: 60_000, ...limits },
    modules: registry,
    mayHear: (module, name) => !denied.has(`${module} ${name}`),
    ...(bus === undefined
      ? {}
      : {
          openBus: (take) => {
            receive = take;
            return { publish: () => true, claim: async () => true, close: async () => {}, ...bus };
          },
        }),
    meter: {
      emitted: () => {},
      refused: (module, why) => outcomes.push(`${module} refused ${why}`),
      settled: (module, outcome) => outcomes.push(`${module} ${outcome}`),
    },
    log: { warn: (facts) => void warned.push(facts) },
    now: () => clock,
  });
  room.open();
  return {
    room,
    registry,
    outcomes,
    warned,
    denied,
    receive: (event) =>
      receive({
        id: 'i',
        name: 'user.login',
        source: 'chat-host',
        at: 1,
        heardAt: performance.now(),
        hops: 0,
        data: '1',
        isShared: true,
        ...event,
      }),
  };
}

const listener = (patterns: readonly string[], run?: () => Promise<void> | void, name = 'demo') =>
  fakeModule({ name, events: { hear: { patterns, ...(run === undefined ? {} : { run }) } } });
const refused = (work: () => unknown): unknown => {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof PlexiError ? error.code : error;
  }
};
/** Lets everything run that needs no time. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('what is said', () => {
  it('reaches a handler once, however many of its patterns fit, with the words of the host', async () => {
    const demo = listener(['user.*', 'user.login']);
    const { room } = open([demo]);
    const { id, subscribers } = room.publish('user.login', '{"a":1}');
    await settle();
    expect(subscribers).toBe(1);
    expect(demo.eventCalls).toEqual([
      { handler: 'hear', name: 'user.login', source: 'chat-host', at: expect.any(Number), id, data: '{"a":1}' },
    ]);
  });

  it('reaches each subscriber in order, one at a time, and a slow or failing one holds up nobody', async () => {
    let free = (): void => {};
    const slow = listener(['user.*'], () => new Promise<void>((resolve) => (free = resolve)), 'slow');
    const broken = listener(['user.*'], () => Promise.reject(new PlexiError('MODULE_ERROR', 'no')), 'broken');
    const quick = listener(['user.*'], undefined, 'quick');
    const { room, outcomes } = open([slow, broken, quick]);
    for (const data of ['1', '2', '3']) room.publish('user.login', data);
    await settle();
    expect([slow, broken, quick].map(({ eventCalls }) => eventCalls.map(({ data }) => data))).toEqual([
      ['1'],
      ['1', '2', '3'],
      ['1', '2', '3'],
    ]);
    expect(outcomes.filter((outcome) => outcome === 'broken failed')).toHaveLength(3);
    free();
    await settle();
    expect(slow.eventCalls.map(({ data }) => data)).toEqual(['1', '2']);
  });

  it('is dropped and counted when too much waits, and one line tells of many', async () => {
    const slow = listener(['user.*'], () => new Promise<void>(() => {}));
    const { room, outcomes, warned } = open([slow], { maxWaiting: 3 });
    for (let each = 0; each < 10; each++) room.publish('user.login', 'null');
    await settle();
    expect(outcomes).toEqual(Array(7).fill('demo full'));
    expect(warned).toEqual([{ module: 'demo', event: 'user.login', outcome: 'full', detail: expect.any(String) }]);
  });

  it('takes no more memory than a subscriber, and a module, may have', async () => {
    const slow = fakeModule({
      events: Object.fromEntries(
        Array.from({ length: 20 }, (_each, index) => [
          `hear${index}`,
          { patterns: ['user.*'], run: () => new Promise<void>(() => {}) },
        ]),
      ),
    });
    const { room, outcomes } = open([slow], { maxWaiting: 1_000 });
    const data = JSON.stringify('x'.repeat(60_000));
    for (let each = 0; each < 30; each++) room.publish('user.login', data);
    await settle();
    const kept = 30 * 20 - outcomes.length;
    expect(kept * data.length).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(kept).toBeGreaterThan(100);
  });

  it('is not heard without the permission, asked at every delivery', async () => {
    const demo = listener(['user.*']);
    const { room, denied, outcomes } = open([demo]);
    denied.add('demo user.login');
    room.publish('user.login', '1');
    await settle();
    denied.clear();
    room.publish('user.login', '2');
    await settle();
    expect(demo.eventCalls.map(({ data }) => data)).toEqual(['2']);
    expect(outcomes).toEqual(['demo denied', 'demo delivered']);
  });

  it('of modules needs no permission', async () => {
    const demo = listener(['module.other.*']);
    const { room, denied } = open([demo, fakeModule({ name: 'other' })]);
    denied.add('demo module.other.done');
    expect(room.emit('other', 'module.other.done', '1').subscribers).toBe(1);
    await settle();
    expect(demo.eventCalls).toMatchObject([{ source: 'other' }]);
  });

  it('waits for a module that was not started, and is never given twice to a handler that was', async () => {
    const errors: PlexiError[] = [
      new PlexiError('MODULE_UNAVAILABLE', 'recovers', { headers: { 'retry-after': '2' } }),
      new PlexiError('MODULE_OVERLOADED', 'busy', { headers: { 'retry-after': '1' } }),
    ];
    const demo = listener(['user.*'], () => {
      const error = errors.shift();
      if (error !== undefined) throw error;
    });
    const { room, outcomes } = open([demo]);
    room.publish('user.login', '1');
    await settle();
    await vi.advanceTimersByTimeAsync(2_000);
    await settle();
    await vi.advanceTimersByTimeAsync(1_000);
    await settle();
    expect([demo.eventCalls.length, outcomes]).toEqual([3, ['demo delivered']]);
    errors.push(new PlexiError('MODULE_CRASHED', 'gone'));
    room.publish('user.login', '2');
    await settle();
    await vi.advanceTimersByTimeAsync(60_000);
    await settle();
    expect([demo.eventCalls.length, outcomes]).toEqual([4, ['demo delivered', 'demo crashed']]);
  });

  it('is given up for a module that an operator has to wake, or that recovers too late', async () => {
    const demo = listener(['user.*']);
    demo.state = 'parked';
    const late = listener(
      ['user.*'],
      () => Promise.reject(new PlexiError('MODULE_UNAVAILABLE', 'later', { headers: { 'retry-after': '60' } })),
      'late',
    );
    const { room, outcomes } = open([demo, late]);
    room.publish('user.login', '1');
    await settle();
    expect([demo.eventCalls.length, outcomes]).toEqual([0, ['demo unavailable', 'late unavailable']]);
  });
});

describe('a module that emits', () => {
  it('does so at a rate of its own', () => {
    const { room, outcomes } = open([fakeModule({}), fakeModule({ name: 'other' })], { emitsPerSecond: 5 });
    const ends = Array.from({ length: 7 }, () => refused(() => room.emit('demo', 'module.demo.x', '1')));
    expect(ends.filter((end) => end === 'QUOTA_EXCEEDED')).toHaveLength(2);
    expect(outcomes).toEqual(['demo refused rate', 'demo refused rate']);
    expect(refused(() => room.emit('other', 'module.x', '1'))).toBeUndefined();
    clock = 1_000;
    expect(refused(() => room.emit('demo', 'module.demo.x', '1'))).toBeUndefined();
  });

  it('in answer to an event makes a chain, which ends', async () => {
    const { room, registry, outcomes } = open([]);
    const ends: unknown[] = [];
    const pong = (from: string, to: string) =>
      fakeModule({
        name: from,
        events: {
          hear: {
            patterns: [`module.${from}`],
            run: () => void ends.push(refused(() => room.emit(from, `module.${to}`, '1'))),
          },
        },
      });
    registry.add(pong('ping', 'pong'));
    registry.add(pong('pong', 'ping'));
    room.emit('ping', 'module.pong', '1');
    await settle();
    expect(ends).toEqual([...Array(8).fill(undefined), 'INVALID_CALL']);
    expect(outcomes.filter((outcome) => outcome.includes('refused'))).toEqual(['pong refused chain']);
  });

  it('while something else runs in it too is not taken for part of a chain', async () => {
    const { room, registry } = open([]);
    let turns = 0;
    const demo = listener(['module.demo.x'], () => {
      turns += 1;
      // A request is under way in it.
      demo.underWay = 2;
      if (turns < 20) room.emit('demo', 'module.demo.x', '1');
    });
    registry.add(demo);
    room.emit('demo', 'module.demo.x', '1');
    await settle();
    expect(turns).toBe(20);
  });

  it('in answer to a call of a handler is part of its chain too', async () => {
    const { room, registry } = open([]);
    let turns = 0;
    const helper = fakeModule({ name: 'helper' });
    const demo = listener(['module.helper.x'], () => {
      turns += 1;
      const leave = room.enterCall('demo', 'helper');
      helper.underWay = 1;
      refused(() => room.emit('helper', 'module.helper.x', '1'));
      helper.underWay = 0;
      leave();
    });
    registry.add(demo);
    registry.add(helper);
    room.emit('helper', 'module.helper.x', '1');
    await settle();
    expect(turns).toBe(9);
    expect(refused(() => room.emit('helper', 'module.helper.x', '1'))).toBeUndefined();
  });

  it('that is not served yet, or a host that ends, takes nothing', async () => {
    const { room } = open([fakeModule({})]);
    expect(refused(() => room.emit('nobody', 'module.x', '1'))).toBe('MODULE_UNAVAILABLE');
    await room.close(1_000);
    expect(refused(() => room.emit('demo', 'module.x', '1'))).toBe('MODULE_UNAVAILABLE');
    expect(refused(() => room.publish('user.login', '1'))).toBe('MODULE_UNAVAILABLE');
  });
});

describe('who listens', () => {
  it('changes with the module of that name; what waits for a handler that stays goes on waiting', async () => {
    let free = (): void => {};
    const first = listener(['user.*'], () => new Promise<void>((resolve) => (free = resolve)));
    const { room, registry } = open([first]);
    room.publish('user.login', '1');
    room.publish('user.login', '2');
    await settle();
    const second = listener(['message.*']);
    registry.add(second);
    free();
    await settle();
    expect(second.eventCalls.map(({ data }) => data)).toEqual(['2']);
    expect(room.publish('user.login', '3').subscribers).toBe(0);
    expect(room.publish('message.sent', '4').subscribers).toBe(1);
    registry.add(fakeModule({}));
    expect(room.publish('message.sent', '5').subscribers).toBe(0);
  });

  it('at run time is one thread, with bounds, until it ends', async () => {
    const demo = fakeModule({});
    const { room, outcomes } = open([demo]);
    const thread = {};
    const end = new AbortController();
    const subscribe = (subscription: number) =>
      room.subscribe('demo', { subscription, pattern: 'user.login', thread, signal: end.signal });
    for (let each = 1; each <= 100; each++) subscribe(each);
    expect(refused(() => subscribe(101))).toBe('QUOTA_EXCEEDED');
    expect(refused(() => subscribe(7))).toBe('INVALID_CALL');
    room.unsubscribe(thread, 100);
    room.unsubscribe({}, 1);
    expect(room.publish('user.login', '1').subscribers).toBe(99);
    await settle();
    expect(demo.eventCalls[0]).toMatchObject({ handler: 1 });
    expect(demo.eventCalls[0]?.thread).toBe(thread);
    expect(outcomes).toHaveLength(99);
    end.abort();
    expect(room.publish('user.login', '2').subscribers).toBe(0);
    subscribe(1);
    expect(room.publish('user.login', '2').subscribers).toBe(0);
  });
});

describe('with other hosts', () => {
  it('a declared handler runs where its key was taken, and nowhere when nobody can say', async () => {
    const answers = [true, false, new Error('Redis is gone')];
    const keys: string[] = [];
    const demo = listener(['user.*']);
    const { room, outcomes, receive } = open(
      [demo],
      {},
      {
        claim: async (key) => {
          keys.push(key);
          const answer = answers.shift();
          if (answer instanceof Error) throw answer;
          return answer === true;
        },
      },
    );
    const { id } = room.publish('user.login', '1');
    receive({ id: 'second', data: '2' });
    receive({ id: 'third', data: '3' });
    await settle();
    expect(demo.eventCalls.map(({ data }) => data)).toEqual(['1']);
    expect(keys).toEqual([`${id}:demo:hear`, 'second:demo:hear', 'third:demo:hear']);
    expect(outcomes).toEqual(['demo delivered', 'demo unclaimed']);
  });

  it('nobody asks whose turn it is so late that the answer may be forgotten', async () => {
    const demo = listener(['user.*']);
    const claim = vi.fn(async () => true);
    const { outcomes, receive } = open([demo], {}, { claim });
    receive({ heardAt: performance.now() - LATEST_CLAIM_MS - 1 });
    await settle();
    expect([outcomes, demo.eventCalls.length, claim.mock.calls.length]).toEqual([['demo unclaimed'], 0, 0]);
  });

  it('what nobody else was told of needs no key', async () => {
    const demo = listener(['user.*']);
    const claim = vi.fn(async () => false);
    const { room } = open([demo], {}, { publish: () => false, claim });
    room.publish('user.login', '1');
    await settle();
    expect([demo.eventCalls.length, claim.mock.calls.length]).toEqual([1, 0]);
  });
});

it('a room that closes delivers what waits, and gives up what takes too long', async () => {
  const quick = listener(['user.*'], undefined, 'quick');
  const stuck = listener(['user.*'], () => new Promise<void>(() => {}), 'stuck');
  const { room, outcomes } = open([quick, stuck]);
  for (const data of ['1', '2', '3']) room.publish('user.login', data);
  const closed = room.close(5_000);
  await settle();
  await vi.advanceTimersByTimeAsync(5_000);
  await closed;
  expect(quick.eventCalls).toHaveLength(3);
  expect(outcomes.filter((outcome) => outcome.startsWith('stuck'))).toEqual(['stuck closed', 'stuck closed']);
});
