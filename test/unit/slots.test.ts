import { describe, expect, it } from 'vitest';
import { Slots } from '../../runtime/modules/slots.ts';

const later = (): number => Date.now() + 60_000;

function full(limit: number, queue: number): Slots {
  const slots = new Slots(limit, queue);
  for (let count = 0; count < limit; count++) expect(slots.tryTake()).toBe(true);
  return slots;
}

describe('slots', () => {
  it('are taken up to their number', () => {
    const slots = full(2, 0);
    expect(slots.tryTake()).toBe(false);
    slots.release();
    expect(slots.tryTake()).toBe(true);
  });

  it('go to whoever waits, in order, and never to more than their number', async () => {
    const slots = full(1, 3);
    const order: number[] = [];
    const waiting = [1, 2, 3].map((name) => slots.wait(later()).then(() => order.push(name)));
    for (let count = 0; count < 3; count++) {
      slots.release();
      await waiting[count];
      expect(slots.taken).toBe(1);
    }
    expect(order).toEqual([1, 2, 3]);
    slots.release();
    expect(slots.taken).toBe(0);
  });

  it('are not given to newcomers while others wait', async () => {
    const slots = full(1, 1);
    const waiting = slots.wait(later());
    slots.release();
    expect(slots.tryTake()).toBe(false);
    await waiting;
  });

  it('refuse who comes when the queue is full, with Retry-After', async () => {
    const slots = full(1, 1);
    const waiting = slots.wait(later());
    await expect(slots.wait(later())).rejects.toMatchObject({
      code: 'MODULE_OVERLOADED',
      headers: { 'retry-after': '1' },
    });
    slots.release();
    await waiting;
  });

  it('refuse who waits past the deadline, and its place in the queue is free', async () => {
    const slots = full(1, 1);
    await expect(slots.wait(Date.now() + 5)).rejects.toMatchObject({ code: 'MODULE_OVERLOADED' });
    const next = slots.wait(later());
    slots.release();
    await next;
    expect(slots.taken).toBe(1);
  });

  it('forget a client that goes away while it waits', async () => {
    const slots = full(1, 1);
    const client = new AbortController();
    const waiting = slots.wait(later(), client.signal);
    client.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    const next = slots.wait(later());
    slots.release();
    await next;
    expect(slots.taken).toBe(1);
  });

  it('do not let a client wait that has gone already', async () => {
    await expect(full(1, 1).wait(later(), AbortSignal.abort())).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });

  it('refuse everyone who waits when they are closed', async () => {
    const slots = full(1, 5);
    const waiting = [slots.wait(later()), slots.wait(later())];
    slots.close(new Error('is being stopped'));
    for (const one of waiting) await expect(one).rejects.toThrow('is being stopped');
    slots.release();
    expect(slots.taken).toBe(0);
  });
});
