/** A cell whose module escaped: a program of the test's own on descriptor 3, which says what it likes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_QUOTA } from '../../runtime/bridge/quota.ts';
import { createLogCapability } from '../../runtime/capabilities/log.ts';
import type { InstanceExit } from '../../runtime/cells/instance.ts';
import { CellPool } from '../../runtime/cells/pool.ts';
import { createSpawner } from '../../runtime/cells/spawner.ts';
import { createLog } from '../../runtime/observability/log.ts';

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

/** Ends what `startEvil` started. */
export function closeEvil(): Promise<void> {
  return clean();
}

/** Starts a cell whose program does `attack` once it knows its channel; how the instance ended, and what the cell said. */
export function startEvil(attack: string) {
  const folder = mkdtempSync(join(tmpdir(), 'plexi-evil-'));
  mkdirSync(join(folder, 'empty'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'cell.js'), `${PRELUDE}\nfunction attack() { ${attack} }`);
  const noise: string[] = [];
  const cells = new CellPool({
    files: {
      folder,
      program: join(folder, 'cell.js'),
      dataProgram: '',
      emptyFolder: join(folder, 'empty'),
      kernelHash: '',
    },
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
    quota: DEFAULT_QUOTA,
    onViolation: () => {},
    log: createLog({ level: 'fatal', readable: false, destination: { write: () => {} } }),
  });
  const instance = spawn({
    module: 'evil',
    code: new Uint8Array(),
    manifest: {},
    memoryMb: 64,
    cpuMs: undefined,
    onSoftLimit: () => {},
    onExit: exit.resolve,
  });
  return { cells, instance, noise, exit: exit.promise };
}
