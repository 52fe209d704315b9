import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../runtime/observability/log.ts';
import type { BackendEvents, QueueBackend } from '../../runtime/queue/backend.ts';
import { QueueDoor, queueAway } from '../../runtime/tasks/queue-door.ts';

describe('the door to the queue', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const away = 'the task queue cannot be opened; trying again';

  it('tells again why it does not open when that changes, and every ten minutes', async () => {
    const { door, lines, fail } = setUp();
    fail('at 10:31 [42] it is broken');
    door.want();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(lines()).toEqual([away]);
    fail('the disk is full');
    await vi.advanceTimersByTimeAsync(120_000);
    fail('at 10:35 [46] it is broken');
    await vi.advanceTimersByTimeAsync(240_000);
    expect(lines()).toEqual([away, away]);
    await vi.advanceTimersByTimeAsync(150_000);
    expect(lines()).toEqual([away, away, away]);
    await door.close();
  });

  it('knows for operators what is wrong, and nothing when it is open', async () => {
    const { door, fail, succeed, backend, events } = setUp();
    expect(door.trouble).toBeUndefined();
    fail('The queue in /data/queue cannot be opened: it is broken.');
    door.want();
    await vi.advanceTimersByTimeAsync(100);
    expect(door.trouble).toBe('The queue in /data/queue cannot be opened: it is broken.');
    succeed();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(door.trouble).toBeUndefined();

    backend.online = false;
    events().onOnline(false, 'it ended');
    expect(door.trouble).toBe('it ended');
    events().onError(new Error('it does not come up'));
    expect(door.trouble).toBe('it does not come up');
    backend.online = true;
    events().onOnline(true, 'it answers again');
    expect(door.trouble).toBeUndefined();
    await door.close();
  });

  it('is loud about what is wrong while the queue is away, and warns of other complaints', async () => {
    const { door, succeed, backend, events, levels } = setUp();
    succeed();
    door.want();
    await vi.advanceTimersByTimeAsync(100);
    events().onError(new Error('odd'));
    backend.online = false;
    events().onError(new Error('it does not come up'));
    expect(levels(['the task queue complains', 'the task queue stays away'])).toEqual([40, 50]);
    await door.close();
  });

  it('says nothing of folders and servers to guests', () => {
    const cause = new Error('The queue in /data/queue cannot be opened.');
    expect(queueAway(cause).message).toBe('The task queue cannot be reached now; try again later.');
    expect(queueAway(cause, cause.message).message).toBe(`The task queue cannot be used now. ${cause.message}`);
    expect(queueAway(cause, cause.message).code).toBe('QUEUE_UNAVAILABLE');
  });
});

function setUp() {
  const logged: { level: number; msg: string }[] = [];
  const log = createLog({
    level: 'warn',
    readable: false,
    destination: { write: (line) => void logged.push(JSON.parse(line)) },
  });
  const backend = { kind: 'embedded', online: true, releaseOrphans: async () => {}, close: async () => {} };
  let failure: string | undefined;
  let heard: BackendEvents | undefined;
  const door = new QueueDoor({
    log,
    onReady: () => {},
    open: async (events) => {
      heard = events;
      if (failure !== undefined) throw new Error(failure);
      return backend as unknown as QueueBackend;
    },
  });
  return {
    door,
    backend,
    fail: (reason: string) => {
      failure = reason;
    },
    succeed: () => {
      failure = undefined;
    },
    events: () => {
      if (!heard) throw new Error('Nobody opened it yet.');
      return heard;
    },
    lines: () => logged.filter(({ level }) => level >= 40).map(({ msg }) => msg),
    levels: (messages: string[]) => logged.filter(({ msg }) => messages.includes(msg)).map(({ level }) => level),
  };
}
