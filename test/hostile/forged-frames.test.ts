/**
 * The attacks on the bridge from where a module sits: a real thread that says to its own port what no kernel says. The
 * neighbour is in the same cell and is asked all the while.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CellRoom, type Guest, openCellRoom } from '../support/cell-room.ts';
import { FORGE } from '../support/forge.ts';

let room: CellRoom;
let neighbour: Guest;
const guests: Guest[] = [];

beforeAll(async () => {
  room = await openCellRoom();
  neighbour = await room.boot('onhello() { return { hello: 1 }; }', { name: 'neighbour' });
});
afterAll(() => room.close());
afterEach(async () => {
  expect(neighbour.violations).toEqual([]);
  expect(await neighbour.json('hello')).toEqual({ hello: 1 });
  for (const guest of guests.splice(0)) {
    guest.instance.terminate('terminated', 'the test is over');
    await guest.exit;
    expect(guest.failures).toEqual([]);
  }
});

/** A module that says each of these texts in a batch of its own, or all in one, and then answers like any other. */
async function forger(frames: readonly string[], { inOne = false, repeat = 1 } = {}): Promise<Guest> {
  const texts = inOne ? [frames.join(',')] : frames;
  const guest = await room.boot(
    `async onforge() {
       const texts = ${JSON.stringify(texts)};
       for (let round = 0; round < ${repeat}; round++)
         for (let index = 0; index < texts.length; index++) await say(this, texts[index]);
       return { said: texts.length };
     }
     onafter() { return { after: 1 }; }`,
    { name: 'forger', before: FORGE },
  );
  expect(guest.instance.cell).toBe(neighbour.instance.cell);
  guests.push(guest);
  return guest;
}

const outcome = (call: Promise<unknown>): Promise<unknown> => call.catch((error: { code?: string }) => error.code);

/** Asks the neighbour again and again while something else goes on; the longest that it took. */
async function askingNeighbour(meanwhile: Promise<unknown>): Promise<number> {
  let over = false;
  let longest = 0;
  const done = meanwhile.then(
    () => {
      over = true;
    },
    () => {
      over = true;
    },
  );
  while (!over) {
    const started = performance.now();
    expect(await neighbour.json('hello')).toEqual({ hello: 1 });
    longest = Math.max(longest, performance.now() - started);
  }
  await done;
  return longest;
}

const apply = (path: string, rest = ''): string =>
  `{"id":"f","type":"APPLY","path":${path},"argumentList":[{"type":"RAW","value":"return process"}]${rest}}`;

const COMLINK: readonly string[] = [
  apply('["constructor","constructor"]'),
  apply('["http","constructor"]'),
  apply('["http","__proto__"]'),
  apply('["__proto__","fetch"]'),
  apply('["http","fetch","constructor"]'),
  apply('["http"]'),
  apply('[]'),
  apply('"httpfetch"'),
  apply('{"0":"http","1":"fetch","length":2}'),
  apply('["http",["fetch"]]'),
  apply('["http","fetch"]', ',"__proto__":{"type":"GET"}'),
  '{"id":"f","type":"CONSTRUCT","path":["constructor","constructor"],"argumentList":[{"type":"RAW","value":"return process"}]}',
  '{"id":"f","type":"GET","path":["http","fetch"]}',
  '{"id":"f","type":"SET","path":["http","fetch"],"value":{"type":"RAW","value":1}}',
  '{"id":"f","type":"ENDPOINT","path":[]}',
  '{"id":"f","type":"RELEASE","path":[]}',
  '{"id":"f","type":"APPLY","path":["http","fetch"],"argumentList":[{"type":"HANDLER","name":"proxy","value":{}}]}',
  '{"id":"f","type":"APPLY","path":["http","fetch"],"argumentList":[{"type":"HANDLER","name":"throw","value":{"isError":true,"value":{}}}]}',
  '{"id":"f","type":"APPLY","path":["http","fetch"],"argumentList":[{"type":"HANDLER","name":"nope","value":1}]}',
];

describe('a module that speaks Comlink to the host', () => {
  it.each([
    ['word by word', false],
    ['in one batch', true],
  ])('%s gets nothing, is counted each time, and serves on while it is within the limit', async (_name, inOne) => {
    const guest = await forger(COMLINK, { inOne });
    await guest.json('forge');
    expect(guest.violations.length).toBe(COMLINK.length);
    expect(await guest.json('after')).toEqual({ after: 1 });
    expect((globalThis as { forged?: unknown }).forged).toBeUndefined();
    expect({}).not.toHaveProperty('type');
  });

  it('after RELEASE the host still hears its calls', async () => {
    const guest = await room.boot(
      `async onforge() {
         await say(this, '{"id":"f","type":"RELEASE","path":[]}');
         const refused = await this.http.fetch('https://example.com/').catch((error) => error.code);
         return { refused };
       }`,
      { name: 'forger', before: FORGE },
    );
    guests.push(guest);
    expect(await guest.json('forge')).toEqual({ refused: 'EGRESS_DENIED' });
    expect(guest.violations.length).toBe(1);
  });
});

const REPLIES: readonly string[] = [
  ...['"0.1"', '"0.2"', '"0.1"', '"1.1"', '"99.99"', '"-1.1"', '"NaN"', '"__proto__"', '"constructor"', '"length"'],
  ...['"\\u0000"', '"\\ud800"', '0.1', 'null', '[]', '{}', '""', '"0.3\\u0000"'],
].map(
  (id) => `{"id":${id},"type":"RAW","value":{"ok":true,"status":200,"headers":[],"body":{"kind":"text","text":"1"}}}`,
);

describe('a module that answers what nobody asked', () => {
  it.each([
    ['one by one', false],
    ['in one batch', true],
  ])('%s is counted each time, and its own callers get what its handlers gave', async (_name, inOne) => {
    const guest = await forger(REPLIES, { inOne });
    for (let count = 0; count < 3; count++) expect(await guest.json('after')).toEqual({ after: 1 });
    // A forged text takes the place of a batch: what was true in it is the module's own loss.
    const [, ...answers] = await Promise.all([
      outcome(guest.json('forge', 2_000)),
      neighbour.json('hello'),
      neighbour.json('hello'),
    ]);
    expect(answers).toEqual([{ hello: 1 }, { hello: 1 }]);
    expect(await guest.json('after')).toEqual({ after: 1 });
    expect(guest.violations.length).toBeGreaterThanOrEqual(REPLIES.length - 2);
  });
});

const STREAMS: readonly string[] = [
  '{"stream":1,"op":"credit","bytes":1}',
  '{"stream":1,"op":"credit","bytes":-1}',
  '{"stream":1,"op":"credit","bytes":1e309}',
  '{"stream":1,"op":"credit","bytes":9007199254740991}',
  '{"stream":9007199254740993,"op":"end"}',
  '{"stream":-1,"op":"end"}',
  '{"stream":0,"op":"end"}',
  '{"stream":300,"op":"end"}',
  '{"stream":"1","op":"end"}',
  '{"stream":1,"op":"cancel"}',
  '{"stream":1,"op":"__proto__"}',
  '{"stream":1,"op":"chunk"}',
  '{"stream":{"valueOf":1},"op":"chunk"}',
  '{"stream":null,"op":"chunk"}',
];

describe('a module that speaks of bodies that are none', () => {
  it('is counted each time, serves on, and leaves the host with none', async () => {
    const guest = await forger(STREAMS);
    await guest.json('forge');
    expect(guest.violations.length).toBe(STREAMS.length);
    expect(await guest.json('after')).toEqual({ after: 1 });
    expect(guest.instance.session.openStreams).toBe(0);
  });

  it('or sends pieces after the end of one, and more of one than its window, is counted and ended', async () => {
    const guest = await room.boot(
      `async onforge() {
         for (let index = 0; index < 60; index++)
           await say(this, '{"stream":1,"op":"chunk"},{"stream":1,"op":"end"}', [new ArrayBuffer(65536)]);
         return {};
       }`,
      { name: 'forger', before: FORGE },
    );
    guests.push(guest);
    expect(await outcome(guest.json('forge'))).toBe('MODULE_CRASHED');
    expect(await guest.exit).toMatchObject({ reason: 'violations' });
    expect(guest.instance.session.openStreams).toBe(0);
  });
});

describe('a module that sends text which takes long to read', () => {
  const SLOW: readonly (readonly [string, string])[] = [
    ['ever new keys', `for (let i = 0; i < 9000; i++) parts[i] = '{"' + round + 'k' + i + '":1}';`],
    ['empty lists', `for (let i = 0; i < 60000; i++) parts[i] = '[]';`],
    [
      'calls of nothing',
      `for (let i = 0; i < 1000; i++) parts[i] = '{"id":"a","type":"APPLY","path":["log","write"],"argumentList":[]}';`,
    ],
  ];
  it.each(SLOW)('(%s) is ended, and the neighbour is answered in between', async (name, make) => {
    const guest = await room.boot(
      `async onforge() {
         for (let round = 0; round < 2000; round++) {
           const parts = [];
           ${make}
           const text = join.call(parts, ',');
           forgedText = ${name.startsWith('calls') ? 'text' : `'{"id":"x","type":"APPLY","path":["log","write"],"argumentList":[{"type":"RAW","value":[' + text + ']}]}'`};
           flushing = false;
           this.logger.info('go');
           await wait(0);
         }
         return {};
       }`,
      { name: 'forger', before: FORGE },
    );
    guests.push(guest);
    const longest = await askingNeighbour(guest.call('forge', 20_000));
    const { reason } = await guest.exit;
    // `flood`: on a busy machine its own cell notices first that the host does not keep up.
    expect(['bytes', 'calls', 'flood']).toContain(reason);
    expect(longest).toBeLessThan(5_000);
  });

  it('in one text of three million characters is refused unread, and serves on', async () => {
    const guest = await room.boot(
      `async onforge() {
         const parts = [];
         for (let i = 0; i < 250000; i++) parts[i] = '"k' + i + '":1';
         await say(this, '{"id":"x","type":"RAW","value":{' + join.call(parts, ',') + '}}');
         return {};
       }`,
      { name: 'forger', before: FORGE, memoryMb: 256 },
    );
    guests.push(guest);
    expect(await outcome(guest.json('forge'))).toEqual({});
    expect(guest.violations).toEqual(['holds more lists, objects and keys than one batch may']);
  });
});

describe('a module that fills the way to a host which is busy', () => {
  it('is ended alone: a neighbour that sends a little into the same socket is not to blame', async () => {
    const guest = await room.boot(
      `async onforge() {
         const text = '"' + 'x'.repeat(1e6) + '"';
         for (let round = 0; round < 400; round++) await say(this, text);
         return {};
       }`,
      { name: 'forger', before: FORGE, memoryMb: 128 },
    );
    guests.push(guest);
    const quiet = await room.boot(
      `ontick() { const timer = setInterval(() => this.logger.info('tick'), 20); setTimeout(() => clearInterval(timer), 6000); return {}; }`,
      { name: 'quiet' },
    );
    guests.push(quiet);
    expect(quiet.instance.cell).toBe(guest.instance.cell);
    await quiet.json('tick');
    const forging = outcome(guest.json('forge'));
    // The host does nothing else, and reads nothing: the cell is alone with what the two of them say.
    const busyUntil = Date.now() + 4_000;
    await new Promise((resolve) => setTimeout(resolve, 50));
    while (Date.now() < busyUntil) Math.sqrt(Date.now());
    expect(await forging).toBe('MODULE_CRASHED');
    expect(await guest.exit).toMatchObject({ reason: expect.stringMatching(/^(flood|bytes)$/) });
    expect(quiet.instance.alive).toBe(true);
    expect(quiet.violations).toEqual([]);
  });
});
