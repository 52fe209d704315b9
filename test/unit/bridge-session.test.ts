import { describe, expect, it } from 'vitest';
import { MAX_MESSAGE_CHARACTERS } from '../../runtime/bridge/session.ts';
import { scriptGuest } from '../support/scripted-guest.ts';
import { until } from '../support/until.ts';

const isCall = (message: { path?: readonly string[] }): boolean => message.path !== undefined;

describe('a call of the host', () => {
  it('reaches the guest as an APPLY and comes back as its value', async () => {
    const guest = scriptGuest();
    const { answer } = guest.session.call('invoke', { a: 1 }, 'b');
    const { id, path, argumentList } = await guest.hear(isCall);
    expect(path).toEqual(['invoke']);
    expect(argumentList?.map(({ value }) => value)).toEqual([{ a: 1 }, 'b']);
    guest.say({ id, type: 'RAW', value: { status: 200 } });
    expect(await answer).toEqual({ status: 200 });
  });

  it('that is settled by its deadline drops the late answer without a word', async () => {
    const guest = scriptGuest();
    const { id, answer } = guest.session.call('invoke');
    guest.session.settle(id, new Error('too late'));
    await expect(answer).rejects.toThrow('too late');
    expect(guest.session.abandoned).toBe(1);
    guest.say({ id, type: 'RAW', value: 1 });
    expect(guest.session.abandoned).toBe(0);
    expect(guest.violations).toEqual([]);
  });

  it('settles once, whichever of answer, deadline and close come in which order', async () => {
    const ways = {
      answer: (guest: ReturnType<typeof scriptGuest>, id: string) => guest.say({ id, type: 'RAW', value: 'answer' }),
      deadline: (guest: ReturnType<typeof scriptGuest>, id: string) => guest.session.settle(id, new Error('deadline')),
      close: (guest: ReturnType<typeof scriptGuest>) => guest.session.close(new Error('close')),
    };
    const names = Object.keys(ways) as (keyof typeof ways)[];
    for (const first of names) {
      for (const second of names) {
        for (const third of names) {
          const guest = scriptGuest();
          const { id, answer } = guest.session.call('invoke');
          for (const way of [first, second, third]) ways[way](guest, id);
          expect(await answer.catch((error: Error) => error.message), `${first} ${second} ${third}`).toBe(first);
        }
      }
    }
  });

  it('is refused after the close, with the reason of the close', async () => {
    const guest = scriptGuest();
    guest.session.close(new Error('the thread ended'));
    expect(() => guest.session.call('invoke')).toThrow('the thread ended');
  });

  it('leaves nothing behind once it is answered', async () => {
    const guest = scriptGuest();
    const calls = Array.from({ length: 200 }, () => guest.session.call('describe'));
    for (const { id } of calls) guest.say({ id, type: 'RAW', value: 1 });
    await Promise.all(calls.map(({ answer }) => answer));
    guest.session.close(new Error('over'));
    expect(guest.session.abandoned).toBe(0);
  });
});

describe('a call of the guest', () => {
  const fetchCall = (id = 'g1', ...values: unknown[]) => ({
    id,
    type: 'APPLY',
    path: ['http', 'fetch'],
    argumentList: values.map((value) => ({ type: 'RAW', value })),
  });

  it('runs the method of the table and gets its value', async () => {
    const guest = scriptGuest({ calls: { http: { fetch: async (...args) => ({ ok: true, value: args }) } } });
    guest.say(fetchCall('g1', 1, 'two'));
    expect(await guest.hear(({ id }) => id === 'g1')).toEqual({
      id: 'g1',
      type: 'RAW',
      value: { ok: true, value: [1, 'two'] },
    });
  });

  it.each([
    ['throws', () => Promise.reject(new Error('at /home/host/secret.ts'))],
    ['gives what JSON does not know', async () => ({ ok: true, value: 10n })],
    ['gives more than a message carries', async () => ({ ok: true, value: 'x'.repeat(MAX_MESSAGE_CHARACTERS) })],
  ])('never shows a stack of the host when its method %s', async (_name, method) => {
    const guest = scriptGuest({ calls: { http: { fetch: method } } });
    guest.say(fetchCall());
    const reply = await guest.hear(({ id }) => id === 'g1');
    expect(reply).toEqual({
      id: 'g1',
      type: 'RAW',
      value: { ok: false, code: 'INTERNAL', message: 'The answer of the host cannot be sent.' },
    });
  });
});

describe('what leaves in one turn', () => {
  it('leaves in one frame', async () => {
    const guest = scriptGuest();
    for (let count = 0; count < 7; count++) void guest.session.call('describe').answer.catch(() => {});
    await guest.hear(isCall);
    expect(guest.frames).toBe(1);
    expect(guest.sent.length).toBe(7);
  });

  it('leaves in pieces of 24 when it is a burst, so that the other side can begin', async () => {
    const guest = scriptGuest();
    for (let count = 0; count < 100; count++) void guest.session.call('describe').answer.catch(() => {});
    await until(() => guest.sent.length === 100);
    expect(guest.frames).toBe(5);
  });

  it('is cut into frames that a cell takes, however small the chunks of an upload are', async () => {
    const guest = scriptGuest();
    const chunks = 3_000;
    for (let stream = 0; stream < 10; stream++) {
      let left = chunks / 10;
      guest.session.writeStream({
        read: async () => (left-- > 0 ? new Uint8Array([stream]) : undefined),
        cancel() {},
      });
    }
    await guest.hear(({ op }) => op === 'end');
    // The decoder of the support is the cell's own: it throws at a frame with too many parts.
    expect(guest.chunks.length).toBe(chunks);
  });
});

describe('streams of a guest', () => {
  it('that came with an answer which nobody waits for are cancelled', async () => {
    const guest = scriptGuest();
    const { id, answer } = guest.session.call('invoke');
    guest.session.settle(id, new Error('too late'));
    await expect(answer).rejects.toThrow();
    guest.say({ id, type: 'RAW', value: { body: { kind: 'stream', stream: 1 } } });
    expect(await guest.hear(({ op }) => op === 'cancel')).toEqual({ stream: 1, op: 'cancel' });
    expect(guest.session.openStreams).toBe(0);
  });

  it('are let go of by discard, which takes whatever a guest sent in place of a body', () => {
    const guest = scriptGuest();
    for (const body of [undefined, null, 7, 'x', [], {}, { stream: -1 }, { stream: 'x' }, { stream: 1e300 }]) {
      guest.session.discard(body);
    }
    guest.session.discard({ kind: 'stream', stream: 1 });
    guest.session.discard({ kind: 'stream', stream: 1 });
    expect(guest.session.openStreams).toBe(0);
  });

  it('end for their readers when the session closes', async () => {
    const guest = scriptGuest();
    const reading = guest.session.readStream(1).read();
    guest.session.close(new Error('the thread ended'));
    await expect(reading).rejects.toThrow('the thread ended');
    expect(guest.session.openStreams).toBe(0);
  });
});
