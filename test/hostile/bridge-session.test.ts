/**
 * A guest that says anything at any time: answers twice, late, to nobody, pieces of bodies that were never opened, have
 * ended or were never asked for. The host keeps count, settles each call once, and is left with nothing.
 */
import { MAX_ARRIVING, MAX_STREAMS } from '@plexichat/sdk/protocol/body-streams';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_QUOTA } from '../../runtime/bridge/quota.ts';
import { type ScriptedGuest, scriptGuest } from '../support/scripted-guest.ts';

const { bytesPerSecond } = DEFAULT_QUOTA;
/** Few, so that many runs reach the end of the session. */
const MAX_VIOLATIONS = 6;
const MAX_OPEN_STREAMS = MAX_ARRIVING + MAX_STREAMS;

const streamId = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom(0, -1, 257, 300, 2 ** 53, 1.5, 1e300));
const streamMessage = fc.oneof(
  fc.record({ stream: streamId, op: fc.constantFrom('chunk', 'end', 'cancel', 'toString') }),
  fc.record({ stream: streamId, op: fc.constant('error'), message: fc.oneof(fc.string(), fc.constant(7)) }),
  fc.record({
    stream: streamId,
    op: fc.constant('credit'),
    bytes: fc.constantFrom<unknown>(1, 65_536, 2 ** 53 - 1, 2 ** 53, 0, -1, 0.1, '1', null),
  }),
);
const body = fc.oneof(
  fc.constantFrom<unknown>(null, 'x', { body: null }, { body: { kind: 'text', text: 'x' } }, { body: { text: 1 } }),
  streamId.map((stream) => ({ body: { kind: 'stream', stream } })),
);

/** One step of either side. `nth` names one of the calls so far. */
const step = fc.oneof(
  fc.record({ does: fc.constant('call' as const) }),
  fc.record({ does: fc.constant('answer' as const), nth: fc.nat({ max: 12 }), value: body }),
  fc.record({ does: fc.constant('answer' as const), nth: fc.nat({ max: 12 }), value: body }),
  fc.record({ does: fc.constant('deadline' as const), nth: fc.nat({ max: 12 }) }),
  fc.record({ does: fc.constant('forge' as const), id: fc.constantFrom('0.99', '99.1', 'x', '__proto__', '-1.1', '') }),
  fc.record({ does: fc.constant('guest-call' as const), path: fc.constantFrom(['http', 'fetch'], ['http', 'call']) }),
  fc.record({
    does: fc.constant('junk' as const),
    text: fc.constantFrom('', '[', 'null', '[1]', '[[]]', '{}', '[{}]'),
  }),
  fc.record({ does: fc.constant('send-body' as const), chunks: fc.nat({ max: 8 }) }),
  fc.record({ does: fc.constant('read-body' as const), stream: streamId }),
  fc.record({ does: fc.constant('discard' as const), value: body }),
  fc.record({
    does: fc.constant('streams' as const),
    messages: fc.array(streamMessage, { minLength: 1, maxLength: 4 }),
    parts: fc.array(fc.constantFrom(0, 1, 65_536, 300_000), { maxLength: 5 }),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

interface Called {
  readonly id: string;
  readonly settled: unknown[];
  /** What has to have settled it, or be ignored since. */
  expected: unknown;
}

class Model {
  readonly guest: ScriptedGuest;
  readonly calls: Called[] = [];
  readonly reads: Promise<unknown>[] = [];
  cancelled = 0;
  bodies = 0;

  constructor() {
    this.guest = scriptGuest({
      calls: { http: { fetch: async () => ({ ok: true, value: 1 }) } },
      quota: { violations: MAX_VIOLATIONS },
      now: () => 0,
    });
  }

  get ended(): boolean {
    return this.guest.floods.length > 0;
  }

  run(step: Step): void {
    const { session } = this.guest;
    switch (step.does) {
      case 'call':
        this.#call();
        return;
      case 'answer': {
        const called = this.calls[step.nth];
        if (called !== undefined) this.#answer(called, step.value);
        return;
      }
      case 'deadline': {
        const called = this.calls[step.nth];
        if (called === undefined) return;
        session.settle(called.id, new Error('deadline'));
        if (!this.ended) called.expected ??= 'deadline';
        return;
      }
      case 'forge':
        this.guest.say({ id: step.id, type: 'RAW', value: 'forged' });
        return;
      case 'guest-call':
        this.guest.say({ id: 'g', type: 'APPLY', path: step.path, argumentList: [] });
        return;
      case 'junk':
        this.guest.sayText(step.text);
        return;
      case 'send-body':
        this.#sendBody(step.chunks);
        return;
      case 'read-body':
        this.#readBody(step.stream);
        return;
      case 'discard':
        session.discard((step.value as { body?: unknown } | null)?.body);
        return;
      case 'streams':
        this.guest.sayText(
          JSON.stringify(step.messages),
          step.parts.map((size) => new Uint8Array(size)),
        );
    }
  }

  #call(): void {
    if (this.ended) {
      expect(() => this.guest.session.call('invoke')).toThrow();
      return;
    }
    const { id, answer } = this.guest.session.call('invoke');
    const called: Called = { id, settled: [], expected: undefined };
    this.calls.push(called);
    answer.then(
      (value) => called.settled.push(value),
      (error: Error) => called.settled.push(error.message),
    );
  }

  #answer(called: Called, value: unknown): void {
    const open = !this.ended;
    this.guest.say({ id: called.id, type: 'RAW', value });
    if (open && called.expected === undefined) called.expected = { answer: value };
  }

  #sendBody(chunks: number): void {
    if (this.ended) return;
    this.bodies += 1;
    let left = chunks;
    this.guest.session.writeStream({
      read: async () => (left-- > 0 ? new Uint8Array(65_536) : undefined),
      cancel: () => {
        this.cancelled += 1;
      },
    });
  }

  #readBody(stream: number): void {
    try {
      const source = this.guest.session.readStream(stream);
      this.reads.push(source.read().catch((error: unknown) => error));
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('whatever a guest says, in whatever order,', () => {
  it('nothing is thrown, what is wrong is counted, each call settles once, and nothing is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.array(fc.nat({ max: 60 })), async (steps, turns) => {
        const model = new Model();
        const { guest } = model;
        for (const [index, next] of steps.entries()) {
          model.run(next);
          if (turns.includes(index)) await turn();
          expect(guest.floods.length).toBeLessThanOrEqual(1);
          expect(guest.violations.length).toBeLessThanOrEqual(MAX_VIOLATIONS + 1);
          expect(guest.floods.length === 1).toBe(guest.violations.length > MAX_VIOLATIONS);
          expect(guest.session.openStreams).toBeLessThanOrEqual(MAX_OPEN_STREAMS);
          expect(guest.session.abandoned).toBeLessThanOrEqual(model.calls.length);
        }
        guest.session.close(new Error('over'));
        await turn();
        await turn();
        for (const { settled, expected } of model.calls) {
          expect(settled.length).toBe(1);
          const [outcome] = settled;
          if (expected === 'deadline') expect(outcome).toBe('deadline');
          else if (expected !== undefined) expect(outcome).toEqual((expected as { answer: unknown }).answer);
          else expect(outcome).toBe(model.ended ? guest.floods[0] : 'over');
        }
        // Nobody waits for a piece that will never come.
        await Promise.all(model.reads);
        expect(guest.session.openStreams).toBe(0);
        expect(model.cancelled).toBeLessThanOrEqual(model.bodies);
        const { length } = guest.sent;
        for (const next of steps) if (next.does !== 'call' && next.does !== 'send-body') model.run(next);
        await turn();
        expect(guest.sent.length).toBe(length);
      }),
      { numRuns: 1_500 },
    );
  });

  it('is counted to the last one: as many violations as messages that were wrong, and none for those that were right', () => {
    const wrong = fc.constantFrom<unknown>(
      ...[null, 1, 'x', [], {}, { id: 'x' }, { id: 'x', type: 'RAW', value: 1 }, { stream: 0, op: 'end' }],
      ...[
        { stream: 1, op: 'x' },
        { id: 'x', type: 'GET', path: ['http'] },
        { id: '', type: 'RAW', value: 1 },
      ],
    );
    const right = fc.constantFrom<unknown>(
      { stream: 1, op: 'end' },
      { id: 'g', type: 'APPLY', path: ['http', 'fetch'], argumentList: [] },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), wrong, right), { maxLength: MAX_VIOLATIONS }), (messages) => {
        const guest = scriptGuest({ calls: { http: { fetch: async () => 1 } } });
        guest.say(...messages.map(([isWrong, bad, good]) => (isWrong ? bad : good)));
        expect(guest.violations.length).toBe(messages.filter(([isWrong]) => isWrong).length);
        expect(guest.floods).toEqual([]);
      }),
    );
  });
});

describe('an answer that nobody waits for any more', () => {
  it('settles no later call, though its place is used again', async () => {
    const guest = scriptGuest({ quota: { violations: 1e6 } });
    const old: string[] = [];
    for (let count = 0; count < 100; count++) {
      const { id, answer } = guest.session.call('invoke');
      guest.session.settle(id, new Error('deadline'));
      await expect(answer).rejects.toThrow('deadline');
      old.push(id);
    }
    const { id, answer } = guest.session.call('invoke');
    expect(id.split('.')[0]).toBe(old[0]?.split('.')[0]);
    for (const round of ['late', 'replayed'])
      guest.say(...old.map((late) => ({ id: late, type: 'RAW', value: round })));
    expect(guest.session.abandoned).toBe(0);
    expect(guest.violations.length).toBe(100);
    guest.say({ id, type: 'RAW', value: 'its own' });
    expect(await answer).toBe('its own');
  });

  it('opens no body that stays open, however many come', () => {
    const guest = scriptGuest();
    for (let stream = 1; stream <= 2_000; stream++) {
      const { id, answer } = guest.session.call('invoke');
      answer.catch(() => {});
      guest.session.settle(id, new Error('deadline'));
      guest.say({ id, type: 'RAW', value: { body: { kind: 'stream', stream } } });
      expect(guest.session.openStreams).toBe(0);
    }
    expect([guest.violations, guest.floods]).toEqual([[], []]);
  });
});

describe('a message of two sessions', () => {
  it('reaches the one whose channel it came by: the same id, the same stream, on both sides', async () => {
    const guests = [scriptGuest(), scriptGuest()] as const;
    const calls = guests.map(({ session }) => session.call('invoke'));
    expect(calls[0]?.id).toBe(calls[1]?.id);
    const [first, second] = guests;
    const reading = [first.session.readStream(1).read(), second.session.readStream(1).read()] as const;
    first.say({ id: calls[0]?.id, type: 'RAW', value: 'first' });
    first.sayText('[{"stream":1,"op":"chunk"}]', [Uint8Array.of(1)]);
    expect(await calls[0]?.answer).toBe('first');
    expect(await reading[0]).toEqual(Uint8Array.of(1));
    second.say({ id: calls[1]?.id, type: 'RAW', value: 'second' });
    second.sayText('[{"stream":1,"op":"chunk"}]', [Uint8Array.of(2)]);
    expect(await calls[1]?.answer).toBe('second');
    expect(await reading[1]).toEqual(Uint8Array.of(2));
  });
});

describe('parts', () => {
  it('that no chunk names count as bytes all the same, and empty ones as more than nothing', () => {
    const guest = scriptGuest({ now: () => 0 });
    const empty = Array.from({ length: 1_000 }, () => new Uint8Array());
    let batches = 0;
    while (guest.floods.length === 0 && batches < 10_000) {
      guest.sayText('[]', empty);
      batches += 1;
    }
    expect(guest.floods.length).toBe(1);
    expect(batches).toBeLessThan(bytesPerSecond / 100_000);
  });

  it('that a reader keeps are its own: what comes later in the same memory does not change them', async () => {
    const guest = scriptGuest();
    const memory = new Uint8Array(10).fill(1);
    const source = guest.session.readStream(1);
    guest.sayText('[{"stream":1,"op":"chunk"}]', [memory]);
    memory.fill(2);
    expect(await source.read()).toEqual(new Uint8Array(10).fill(1));
  });
});
