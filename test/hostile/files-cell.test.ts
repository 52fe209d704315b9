/** Files from a module in a real cell: what the contract gives, and what a guest gets that does not keep to it. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFilesCapability } from '../../runtime/capabilities/files.ts';
import type { Permission } from '../../runtime/capabilities/permission.ts';
import { createPermissionGate } from '../../runtime/capabilities/permission-gate.ts';
import { type CellRoom, type Guest, openCellRoom } from '../support/cell-room.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const MB = 1024 * 1024;

let room: CellRoom;
beforeAll(async () => {
  room = await openCellRoom();
});
afterAll(() => room.close());

interface Scene {
  readonly guest: Guest;
  readonly inside: string;
  readonly denied: string[];
}

/** `INSIDE` in the code is the granted folder. */
async function boot(body: string, files: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const outside = tempFolder({ 'secret.txt': 'outside', ...files });
  const inside = `${outside}/granted`;
  mkdirSync(inside, { recursive: true });
  const denied: string[] = [];
  const granted = (): Permission[] => [
    { capability: 'files', access: 'read', directory: inside },
    { capability: 'files', access: 'write', directory: inside },
  ];
  const gate = createPermissionGate({ granted, onDenied: (_module, asked) => denied.push(JSON.stringify(asked)) });
  const capability = createFilesCapability({ maxBytes: 8 * MB, sealed: [], idleMs: 500 }, gate, {
    granted,
    onDenied: (_module, _asked, what) => denied.push(what),
  });
  const before = `
    const INSIDE = ${JSON.stringify(inside)};
    const end = (run) => run.then((value) => value ?? 'nothing', (error) => error.code ?? error.name);`;
  const guest = await room.boot(body, { before, capabilities: { files: capability } });
  return { guest, inside, denied };
}

it('writes, reads, lists, looks and removes, in text, bytes and streams', async () => {
  const { guest, inside } = await boot(`
    async onAll() {
      const { files } = this;
      await files.write(INSIDE + '/text/a.txt', 'häuser 😀');
      const big = new Uint8Array(3_000_000).map((_zero, index) => index % 251);
      await files.write(INSIDE + '/big', big, { flush: true });
      const pieces = [new Uint8Array([1, 2]), 'drei', new Uint8Array([4])];
      await files.write(INSIDE + '/stream', new ReadableStream({
        pull: (controller) => pieces.length === 0 ? controller.close() : controller.enqueue(pieces.shift()),
      }));
      let streamed = 0;
      for await (const piece of await files.openRead(INSIDE + '/big')) streamed += piece.byteLength;
      return {
        text: await files.readText(INSIDE + '/text/a.txt'),
        same: (await files.readBytes(INSIDE + '/big')).every((byte, index) => byte === big[index]),
        streamed,
        stream: [...await files.readBytes(INSIDE + '/stream')],
        list: (await files.list(INSIDE, { recursive: true })).entries.map(({ path, kind, size }) =>
          [path.slice(INSIDE.length), kind, size]),
        stat: (await files.stat(INSIDE + '/text/a.txt')).size,
        removed: [await files.remove(INSIDE + '/stream'), await files.remove(INSIDE + '/stream')],
      };
    }`);
  expect(await guest.json('All')).toEqual({
    text: 'häuser 😀',
    same: true,
    streamed: 3_000_000,
    stream: [1, 2, ...Buffer.from('drei'), 4],
    list: [
      ['/big', 'file', 3_000_000],
      ['/stream', 'file', 7],
      ['/text', 'folder', 0],
      ['/text/a.txt', 'file', 12],
    ],
    stat: 12,
    removed: [true, false],
  });
  const hash = createHash('sha256')
    .update(readFileSync(`${inside}/big`))
    .digest('hex');
  const made = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 251));
  expect(hash).toBe(createHash('sha256').update(made).digest('hex'));
  expect([guest.violations, guest.failures]).toEqual([[], []]);
});

it('gives a file to a client in pieces', async () => {
  const { guest, inside } = await boot(`
    async onFile() { return new Response(await this.files.openRead(INSIDE + '/big')); }`);
  writeFileSync(`${inside}/big`, Buffer.alloc(5 * MB, 'x'));
  const { body } = await guest.call('File');
  const bytes = body.kind === 'stream' ? await new Response(body.stream).arrayBuffer() : undefined;
  expect(bytes?.byteLength).toBe(5 * MB);
});

it('gets an error with a code and a name for everything else, and no path of the host that it did not say itself', async () => {
  const { guest, inside, denied } = await boot(`
    async onTry() {
      const { files } = this;
      const denied = await files.readText('/etc/passwd').catch((error) => error);
      const link = await files.readText(INSIDE + '/link').catch((error) => error);
      return {
        denied: [denied instanceof sdk.PermissionDeniedError, denied.message],
        link: [link instanceof sdk.PermissionDeniedError, link.message],
        missing: await end(files.readText(INSIDE + '/nope')),
        large: await end(files.readText(INSIDE + '/large')),
        tooMuch: await end(files.write(INSIDE + '/out', new Uint8Array(9_000_000))),
        broken: await files.write(INSIDE + '/out', new ReadableStream({
          pull() { throw new RangeError('my own'); },
        })).catch((error) => error.message),
        silent: await end(files.write(INSIDE + '/out', new ReadableStream({}))),
      };
    }`);
  symlinkSync(`${inside}/../secret.txt`, `${inside}/link`);
  writeFileSync(`${inside}/large`, Buffer.alloc(9 * MB));
  expect(await guest.json('Try')).toEqual({
    denied: [true, 'Reading /etc/passwd needs the permission files:read:/etc.'],
    link: [true, `Reading ${inside}/link is refused: it leads over a link ("link"); links are not followed.`],
    missing: 'NOT_FOUND',
    large: 'QUOTA_EXCEEDED',
    tooMuch: 'QUOTA_EXCEEDED',
    broken: 'my own',
    silent: 'FILES_UNAVAILABLE',
  });
  expect(denied).toHaveLength(2);
  await until(() => readdirSync(inside).sort().join() === 'large,link');
  expect([guest.violations, guest.failures]).toEqual([[], []]);
});

it('cannot hold more files open than its bound, and has them back when nobody reads on', async () => {
  const { guest } = await boot(
    `
    async onHold() {
      const held = [];
      for (let count = 0; count < 40; count++) held.push(await end(this.files.openRead(INSIDE + '/a')));
      this.held = held;
      return held.filter((one) => one === 'QUOTA_EXCEEDED').length;
    }
    async onRead() { return this.files.readText(INSIDE + '/a'); }`,
    { 'granted/a': 'x'.repeat(600_000) },
  );
  expect(await guest.json('Hold')).toBe(24);
  await until(() =>
    guest.json('Read').then(
      (text) => String(text).length === 600_000,
      () => false,
    ),
  );
});

it('a flood of calls is refused in part, harms nobody, and leaves nothing open', async () => {
  const { guest, inside } = await boot(
    `
    async onFlood() {
      const ends = {};
      const count = (end) => { ends[end] = (ends[end] ?? 0) + 1; };
      const one = async (index) => {
        count(await end(this.files.stat(INSIDE + '/a').then(() => 'stat')));
        count(await end(this.files.write(INSIDE + '/made/' + (index % 5), 'x').then(() => 'write')));
        count(await end(this.files.list('/', {}).then(() => 'list')));
        count(await end(this.files.list(INSIDE, { recursive: true, limit: 1 }).then(() => 'list')));
      };
      await Promise.all(Array.from({ length: 100 }, (_, index) => one(index)));
      return ends;
    }
    async onOk() { return this.files.readText(INSIDE + '/a'); }`,
    { 'granted/a': 'fine' },
  );
  const ends = await guest.json<Record<string, number>>('Flood', 60_000);
  expect(Object.keys(ends).sort()).toEqual(expect.arrayContaining(['QUOTA_EXCEEDED', 'TypeError', 'stat']));
  expect(await guest.json('Ok')).toBe('fine');
  await until(() => readdirSync(inside).every((name) => !name.includes('.part')));
  expect(guest.failures).toEqual([]);
});
