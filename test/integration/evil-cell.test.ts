/** A cell whose module escaped: our own program on descriptor 3, which says what it likes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogCapability } from '../../runtime/capabilities/log.ts';
import type { InstanceExit } from '../../runtime/cells/instance.ts';
import { CellPool } from '../../runtime/cells/pool.ts';
import { createSpawner } from '../../runtime/cells/spawner.ts';
import { createLog } from '../../runtime/observability/log.ts';
import { until } from '../support/until.ts';

const PRELUDE = `
  import { Socket } from 'node:net';
  const socket = new Socket({ fd: 3, readable: true, writable: true });
  const frame = (kind, channel, head, parts = []) => {
    const text = Buffer.from(head);
    const length = 11 + text.length + parts.reduce((sum, part) => sum + 4 + part.length, 0);
    const start = Buffer.alloc(15);
    start.writeUInt32LE(length, 0); start[4] = kind; start.writeUIntLE(channel, 5, 6); start.writeUInt32LE(text.length, 11);
    const sized = parts.flatMap((part) => { const size = Buffer.alloc(4); size.writeUInt32LE(part.length, 0); return [size, part]; });
    return Buffer.concat([start, text, ...sized]);
  };
  const event = (value) => frame(2, 0, JSON.stringify(value));
  const endless = (make) => { const go = () => { while (socket.write(make())); socket.once('drain', go); }; go(); };
  let bytes = Buffer.alloc(0);
  let channel;
  socket.on('data', (data) => {
    if (channel !== undefined) return;
    bytes = Buffer.concat([bytes, data]);
    if (bytes.length < 15 || bytes.length < 15 + bytes.readUInt32LE(11)) return;
    channel = JSON.parse(bytes.toString('utf8', 15, 15 + bytes.readUInt32LE(11))).channel;
    attack();
  });`;

let clean: () => Promise<void> = async () => {};
afterEach(() => clean());

/** Starts a cell whose program does `attack` once it knows its channel; how the instance ended, and what the cell said. */
function startEvil(attack: string) {
  const folder = mkdtempSync(join(tmpdir(), 'plexi-evil-'));
  mkdirSync(join(folder, 'empty'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'cell.js'), `${PRELUDE}\nfunction attack() { ${attack} }`);
  const noise: string[] = [];
  const cells = new CellPool({
    files: { folder, program: join(folder, 'cell.js'), emptyFolder: join(folder, 'empty'), kernelHash: '' },
    cells: 1,
    onNoise: (text) => noise.push(text),
  });
  clean = async () => {
    await cells.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const exit = Promise.withResolvers<InstanceExit>();
  const spawn = createSpawner({
    cells,
    capabilities: { log: createLogCapability({ write: () => {} }) },
    diagnostics: new Set(),
    fullJit: new Set(),
    log: createLog({ level: 'fatal', readable: false, destination: { write: () => {} } }),
  });
  spawn({ module: 'evil', code: new Uint8Array(), manifest: {}, memoryMb: 64, onExit: exit.resolve });
  return { cells, noise, exit: exit.promise };
}

describe('a cell that does not keep to the rules is killed:', () => {
  it.each([
    [
      'it goes on about a channel that ended',
      `socket.write(event({ op: 'exit', channel, reason: 'exited', detail: '' }));
       const lot = frame(1, channel, 'x'.repeat(4e6)); endless(() => lot);`,
      'channels that ended',
    ],
    [
      'it tells of exits that never were',
      `endless(() => event({ op: 'exit', channel: channel + 1, reason: 'exited', detail: 'y'.repeat(900) }));`,
      'an event of a channel that this cell does not have',
    ],
    [
      'it never stops telling of a thread',
      `const word = event({ op: 'spinning', channel, detail: '' }); endless(() => word);`,
      'more control frames than a cell has to say',
    ],
    [
      'it sends a cache that nobody asked for',
      `socket.write(event({ op: 'warmed' }));`,
      'a cache that nobody asked for',
    ],
    [
      'it does not read',
      `socket.pause(); let id = 0;
       const call = () => ({ id: 'a' + id++, type: 'APPLY', path: ['log', 'write'], argumentList: [{ type: 'RAW', value: [] }] });
       endless(() => frame(1, channel, JSON.stringify(Array.from({ length: 3000 }, call))));`,
      'does not read',
    ],
  ])('%s', async (_name, attack, reason) => {
    const { cells, noise } = startEvil(attack);
    await until(() => cells.processIds.length === 0, 25_000);
    expect(noise.join()).toContain(reason);
  });

  it('it closes its socket and goes on without it', async () => {
    const { cells, exit } = startEvil('socket.end(); setInterval(() => {}, 1e6);');
    expect((await exit).reason).toBe('cell');
    await until(() => cells.processIds.length === 0);
  });
});

describe('an instance in such a cell is ended:', () => {
  it.each([
    [
      'it fills the host with bodies that nobody reads',
      `const chunk = Buffer.alloc(65536);
       for (let stream = 1; stream <= 128; stream++) {
         socket.write(frame(1, channel, JSON.stringify(Array.from({ length: 4 }, () => ({ stream, op: 'chunk' }))), [chunk, chunk, chunk, chunk]));
       }`,
    ],
    ['it sends text that takes long to parse', `socket.write(frame(1, channel, '[' + '[],'.repeat(4e6) + '[]]'));`],
    ['it sends more text than its quota', `endless(() => frame(1, channel, '["' + 'x'.repeat(3e6) + '"]'));`],
  ])('%s', async (_name, attack) => {
    expect(await startEvil(attack).exit).toMatchObject({ reason: 'flood' });
  });
});
