/**
 * What a guest could send if the natives of its port leaked: anything that can be cloned or moved. The cell takes texts
 * and plain ArrayBuffers; at anything else the thread goes, before anybody has looked at what came.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { ExitReason } from '../../runtime/bridge/control.ts';
import { CellInstance } from '../../runtime/cell/instance.ts';
import { until } from '../support/until.ts';

const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

interface Taken {
  readonly batches: { head: string; parts: number[] }[];
  readonly exit: Promise<{ reason: ExitReason; detail: string }>;
}

/** A thread with a full Node that has the guest's end of the bridge as `port`, and the cell's end of it. */
function startThread(code: string): Taken {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(
    `const { port } = require('node:worker_threads').workerData;
     const stay = setInterval(() => {}, 1e6);
     (async () => { ${code} })();`,
    { eval: true, workerData: { port: port2 }, transferList: [port2] },
  );
  workers.push(worker);
  const batches: Taken['batches'] = [];
  const exit = Promise.withResolvers<{ reason: ExitReason; detail: string }>();
  new CellInstance({
    command: { op: 'start', channel: 1, config: '{}', memoryMb: 64 },
    code: '',
    thread: { worker, port: port1, memoryMb: 64, load() {} },
    onBatch: (head, parts) => batches.push({ head, parts: parts.map((part) => part.byteLength) }),
    onStuck: () => {},
    onExit: (reason, detail) => exit.resolve({ reason, detail }),
    isBackedUp: () => false,
  });
  return { batches, exit: exit.promise };
}

const HOSTILE: readonly (readonly [name: string, code: string])[] = [
  ['a port', `const { port1 } = new MessageChannel(); port.postMessage(port1, [port1]);`],
  ['a port in an object', `const { port1 } = new MessageChannel(); port.postMessage({ port1 }, [port1]);`],
  ['shared memory', `port.postMessage(new SharedArrayBuffer(8));`],
  ['shared memory that grows', `port.postMessage(new SharedArrayBuffer(8, { maxByteLength: 2 ** 30 }));`],
  ['a view of shared memory', `port.postMessage(new Uint8Array(new SharedArrayBuffer(8)));`],
  ['a buffer that grows', `port.postMessage(new ArrayBuffer(8, { maxByteLength: 2 ** 30 }));`],
  [
    'a buffer that grows and was moved',
    `const b = new ArrayBuffer(8, { maxByteLength: 2 ** 20 }); port.postMessage(b, [b]);`,
  ],
  ['a typed array', `port.postMessage(new Uint8Array(8));`],
  ['a view', `port.postMessage(new DataView(new ArrayBuffer(8)));`],
  ['a Buffer', `port.postMessage(Buffer.from('[]'));`],
  ['code of WebAssembly', `port.postMessage(new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)));`],
  [
    'memory of WebAssembly',
    `port.postMessage(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);`,
  ],
  ['a key', `port.postMessage(await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']));`],
  ['a key of Node', `port.postMessage(require('node:crypto').generateKeySync('hmac', { length: 64 }));`],
  ['a blob', `port.postMessage(new Blob(['x']));`],
  ['an exception of Node', `port.postMessage(new DOMException('x'));`],
  ['a stream', `const s = new ReadableStream(); port.postMessage(s, [s]);`],
  ['a list of addresses', `port.postMessage(new (require('node:net').BlockList)());`],
  ['an error', `port.postMessage(new Error('x'));`],
  ['a text in an object', `port.postMessage(new String('[]'));`],
  ['a thenable', `port.postMessage({ then: 1, toString: 1, length: 1 });`],
  ['a circle', `const o = {}; o.o = o; port.postMessage(o);`],
  ['a list with a hole of four billion', `const list = []; list[4e9] = 1; port.postMessage(list);`],
  ['a thousand levels', `let o = {}; for (let i = 0; i < 1000; i++) o = { o }; port.postMessage(o);`],
  ['a map', `port.postMessage(new Map([['x', new Set([1])]]));`],
  ['a number', `port.postMessage(1);`],
  ['a whole number without end', `port.postMessage(2n ** 64n);`],
  ['nothing', `port.postMessage(undefined);`],
  ['null', `port.postMessage(null);`],
  ['a text too large', `port.postMessage('x'.repeat(17 * 1024 * 1024));`],
  ['a text too large in UTF-8', `port.postMessage('\\uffff'.repeat(3 * 1024 * 1024));`],
  ['a buffer too large', `port.postMessage(new ArrayBuffer(1024 * 1024 + 1));`],
  ['more buffers than a batch has', `for (let i = 0; i < 513; i++) port.postMessage(new ArrayBuffer(0));`],
  ['more bytes than a batch has', `for (let i = 0; i < 9; i++) port.postMessage(new ArrayBuffer(1024 * 1024));`],
];

describe('a thread that sends', () => {
  it.each(HOSTILE)('%s is ended, and the host hears none of it', async (_name, code) => {
    const { batches, exit } = startThread(`${code} port.postMessage('["after"]');`);
    expect(await exit).toEqual({ reason: 'flood', detail: 'a message that is no text or larger than allowed' });
    expect(batches).toEqual([]);
  });

  it('texts and buffers is heard: the buffers with the text that follows them, and no others', async () => {
    const { batches } = startThread(`
      for (const size of [0, 1, 5]) port.postMessage(new ArrayBuffer(size));
      port.postMessage('["first"]');
      const moved = new ArrayBuffer(7); port.postMessage(moved, [moved]); port.postMessage(moved.byteLength === 0 ? '["moved"]' : '');
      port.postMessage('');`);
    await until(() => batches.length === 3);
    expect(batches).toEqual([
      { head: '["first"]', parts: [0, 1, 5] },
      { head: '["moved"]', parts: [7] },
      { head: '', parts: [] },
    ]);
  });

  it('buffers and no text leaves none of them behind when it ends', async () => {
    const { batches, exit } = startThread(
      'port.postMessage(new ArrayBuffer(8)); setTimeout(() => process.exit(0), 1);',
    );
    expect((await exit).reason).toBe('exited');
    expect(batches).toEqual([]);
  });

  it('what cannot be cloned is heard as nothing, and what follows is heard', async () => {
    const { batches } = startThread(`
      for (const value of [() => {}, Symbol('x'), new Proxy({}, {}), new WeakMap(), Promise.resolve(), port]) {
        try { port.postMessage(value); } catch {}
      }
      port.postMessage('["after"]');`);
    await until(() => batches.length === 1);
    expect(batches).toEqual([{ head: '["after"]', parts: [] }]);
  });
});
