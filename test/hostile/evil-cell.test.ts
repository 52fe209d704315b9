/**
 * Code that left its realm and its thread and owns its cell: what it can say on the only descriptor that it has. It ends
 * as a killed process or an ended instance; the host throws nothing, keeps nothing, and its other cells stay as they are.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { closeEvil, startEvil } from '../support/evil-cell.ts';
import { until } from '../support/until.ts';

afterEach(() => closeEvil());

const raw = (bytes: string): string => `socket.write(Buffer.from(${bytes}));`;
const exitEvent = (rest: string): string => `socket.write(event({ op: 'exit', channel, ${rest} }));`;

/** One frame or some, after which no cell of ours would still be trusted. */
const DEADLY: readonly (readonly [name: string, attack: string])[] = [
  ['a frame of four gigabytes', raw('[255, 255, 255, 255]')],
  ['a frame of nothing', raw('[0, 0, 0, 0]')],
  [
    'a head longer than its frame',
    `const f = frame(1, channel, '[]'); f.writeUInt32LE(0xffffffff, 11); socket.write(f);`,
  ],
  [
    'a part longer than its frame',
    `const f = frame(1, channel, '', [Buffer.alloc(4)]); f.writeUInt32LE(5, 15); socket.write(f);`,
  ],
  [
    'more parts than a frame has',
    `socket.write(frame(1, channel, '[]', Array.from({ length: 1025 }, () => Buffer.alloc(0))));`,
  ],
  ['another protocol', `socket.write('GET / HTTP/1.1\\r\\nHost: host\\r\\n\\r\\n');`],
  ['noise', raw('Array.from({ length: 4096 }, (_v, i) => (i * 2654435761) >>> 24 | 128)')],
  ['a kind that there is not', `socket.write(frame(0, channel, '[]'));`],
  ['a kind beyond all', `socket.write(frame(255, channel, '[]'));`],
  ['control words on its channel', `socket.write(frame(2, channel, JSON.stringify({ op: 'warmed' })));`],
  ['a batch on the channel of control', `socket.write(frame(1, 0, '[]'));`],
  ['the channel of a neighbour that it guesses', `socket.write(frame(1, channel + 1, '[]'));`],
  ['the largest channel', `socket.write(frame(1, 2 ** 48 - 1, '[]'));`],
  ['control words that are none', `socket.write(frame(2, 0, 'x'));`],
  ['control words of nothing', `socket.write(frame(2, 0, ''));`],
  ['a list of control words', `socket.write(event([{ op: 'warmed' }]));`],
  ['a word that there is not', `socket.write(event({ op: 'constructor', channel }));`],
  ['a word of the host', `socket.write(event({ op: 'terminate', channel }));`],
  ['a key too many', exitEvent(`reason: 'exited', detail: '', more: 1`)],
  ['a key of prototypes', `socket.write(frame(2, 0, '{"op":"warmed","__proto__":{"op":"exit"}}'));`],
  ['prototypes alone', `socket.write(frame(2, 0, '{"__proto__":{"op":"warmed"}}'));`],
  ['a reason that there is not', exitEvent(`reason: 'cell', detail: ''`)],
  ['a reason that everything has', exitEvent(`reason: 'toString', detail: ''`)],
  ['a reason that is a list', exitEvent(`reason: ['exited'], detail: ''`)],
  ['a reason without end', exitEvent(`reason: 'exited', detail: 'x'.repeat(1001)`)],
  [
    'a channel that is a text',
    `socket.write(event({ op: 'exit', channel: String(channel), reason: 'exited', detail: '' }));`,
  ],
  [
    'a channel that is no number',
    `socket.write(frame(2, 0, '{"op":"exit","channel":1e309,"reason":"exited","detail":""}'));`,
  ],
  ['a channel of prototypes', `socket.write(event({ op: 'stuck', channel: '__proto__', detail: '' }));`],
  ['two ends', `${exitEvent(`reason: 'exited', detail: ''`)} ${exitEvent(`reason: 'exited', detail: ''`)}`],
  ['control words nested without end', `socket.write(frame(2, 0, '['.repeat(1e6) + ']'.repeat(1e6)));`],
  [
    'control words of a million keys',
    `socket.write(frame(2, 0, '{' + Array.from({ length: 1e6 }, (_v, i) => '"k' + i + '":1') + '}'));`,
  ],
  [
    'long control words without end',
    `const word = frame(2, 0, JSON.stringify({ op: 'spinning', channel, detail: '' }) + ' '.repeat(4e6)); endless(() => word);`,
  ],
  [
    'readings that are none',
    `socket.write(event({ op: 'meters', threads: [{ channel, cpuMs: -1, heapBytes: 0, externalBytes: 0, delayMs: 0 }] }));`,
  ],
  [
    'readings of ten thousand and one',
    `socket.write(event({ op: 'meters', threads: Array.from({ length: 10001 }, () => ({ channel, cpuMs: 0, heapBytes: 0, externalBytes: 0, delayMs: 0 })) }));`,
  ],
  [
    'empty frames of a channel that ended',
    `${exitEvent(`reason: 'exited', detail: ''`)} const many = Buffer.concat(Array.from({ length: 4000 }, () => frame(1, channel, ''))); endless(() => many);`,
  ],
  [
    'empty parts of a channel that ended',
    `${exitEvent(`reason: 'exited', detail: ''`)} const many = frame(1, channel, '', Array.from({ length: 1024 }, () => Buffer.alloc(0))); endless(() => many);`,
  ],
];

describe('a cell that sends', () => {
  it.each(DEADLY)('%s is killed, and its instance is told', async (_name, attack) => {
    const { cells, exit, noise } = startEvil(attack);
    await until(() => cells.processIds.length === 0);
    expect(noise.join()).toContain('broke the frame format');
    expect(['cell', 'exited']).toContain((await exit).reason);
    expect({}).not.toHaveProperty('op');
  });
});

it('a cell that writes to its standard error without end is killed, and little of it is kept', async () => {
  const { cells, exit, noise } = startEvil(
    `import('node:fs').then(({ writeSync }) => { for (;;) try { writeSync(2, 'x\\n'.repeat(500_000)); } catch {} });`,
  );
  await until(() => cells.processIds.length === 0);
  expect((await exit).reason).toBe('cell');
  expect(noise.join('').length).toBeLessThanOrEqual(8_000);
});

/** What an escaped module can say in its own name: it is the instance that goes. */
const FLOODS: readonly (readonly [name: string, reason: string, attack: string])[] = [
  [
    'empty batches',
    'bytes',
    `const many = Buffer.concat(Array.from({ length: 2000 }, () => frame(1, channel, '[]'))); endless(() => many);`,
  ],
  [
    'batches of a thousand empty parts',
    'bytes',
    `const many = frame(1, channel, '[]', Array.from({ length: 1000 }, () => Buffer.alloc(0))); endless(() => many);`,
  ],
  [
    'empty heads',
    'violations',
    `const many = Buffer.concat(Array.from({ length: 100 }, () => frame(1, channel, ''))); endless(() => many);`,
  ],
  [
    'ever new keys',
    'bytes',
    `let n = 0; const call = () => '[{"id":"a","type":"APPLY","path":["log","write"],"argumentList":[{"type":"RAW","value":[' + Array.from({ length: 9000 }, () => '{"k' + n++ + '":1}') + ']}]}]'; endless(() => frame(1, channel, call()));`,
  ],
  [
    'calls without end',
    'bytes',
    `const calls = JSON.stringify(Array.from({ length: 2000 }, () => ({ id: 'a', type: 'APPLY', path: ['log', 'write'], argumentList: [] }))); endless(() => frame(1, channel, calls));`,
  ],
  [
    'batches of too many messages',
    'violations',
    `const many = JSON.stringify(Array.from({ length: 3000 }, () => ({ stream: 1, op: 'end' }))); endless(() => frame(1, channel, many));`,
  ],
  [
    'answers to everything',
    'violations',
    `for (let i = 0; i < 30; i++) socket.write(frame(1, channel, JSON.stringify([{ id: i + '.' + i, type: 'RAW', value: 1 }])));`,
  ],
  [
    'pieces of bodies that never end',
    'violations',
    `const chunk = Buffer.alloc(65536); const head = JSON.stringify([{ stream: 1, op: 'chunk' }]); endless(() => frame(1, channel, head, [chunk]));`,
  ],
  [
    'credit for bodies that the host never sent',
    'violations',
    `const head = JSON.stringify([{ stream: 1, op: 'credit', bytes: 2 ** 53 - 1 }]); endless(() => frame(1, channel, head));`,
  ],
];

describe('an instance in whose name a cell sends', () => {
  it.each(FLOODS)('%s is ended for it', async (_name, reason, attack) => {
    const { exit, instance } = startEvil(attack);
    expect(await exit).toMatchObject({ reason });
    expect(instance.session.openStreams).toBe(0);
  });
});

describe('a cell that answers for its instance', () => {
  it('with what no guest answers settles the one who asked, and kills nothing of the host', async () => {
    const { exit, instance } = startEvil(`
      let all = bytes;
      const answered = new Set();
      socket.removeAllListeners('data');
      const answers = [null, 1, 'x', [], {}, { ok: 1 }, { ok: true }, { ok: true, status: 200, headers: 'x', body: {} },
        { ok: true, status: 200, headers: [], body: { kind: 'stream', stream: 9e15 } }, { __proto__: null, then: 1 }];
      const read = (data) => {
        all = Buffer.concat([all, data]);
        while (all.length >= 15 && all.length >= 4 + all.readUInt32LE(0)) {
          const whole = all.subarray(0, 4 + all.readUInt32LE(0));
          all = all.subarray(whole.length);
          if (whole[4] !== 1) continue;
          for (const { id } of JSON.parse(whole.toString('utf8', 15, 15 + whole.readUInt32LE(11)))) {
            socket.write(frame(1, channel, JSON.stringify([{ id, type: 'RAW', value: answers[answered.size % answers.length] }])));
            answered.add(id);
          }
        }
      };
      socket.on('data', read); read(Buffer.alloc(0));`);
    for (let count = 0; count < 10; count++) {
      const failed = await instance.describe(5_000).catch((error: { code?: string }) => error.code);
      expect(['MODULE_ERROR', 'MODULE_CRASHED']).toContain(failed);
    }
    expect(instance.alive).toBe(true);
    instance.terminate('terminated', 'the test is over');
    expect(['cell', 'terminated']).toContain((await exit).reason);
  });
});
