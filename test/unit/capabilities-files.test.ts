import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteSource } from '@plexichat/sdk/protocol/body-streams';
import { explainFilePath, folderOf, isWithin } from '@plexichat/sdk/protocol/file-path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Disk } from '../../runtime/capabilities/file-disk.ts';
import { openFileRoom } from '../support/file-room.ts';
import { until } from '../support/until.ts';

/** Gives these pieces, then ends, or fails. */
function pieces(...given: (string | Error)[]): ByteSource & { cancelled: number } {
  return {
    cancelled: 0,
    async read() {
      const piece = given.shift();
      if (piece instanceof Error) throw piece;
      return piece === undefined ? undefined : Buffer.from(piece);
    },
    cancel() {
      this.cancelled += 1;
    },
  };
}

describe.each([
  ['by handles, as on Linux', new Disk()],
  ['by paths, as elsewhere', new Disk(false)],
])('files of the host, %s', (_name, disk) => {
  it('are written, read, listed, looked at and removed', async () => {
    const room = openFileRoom({ disk });
    const path = `${room.inside}/2026/11/report.txt`;
    expect(await room.stat(path)).toBeNull();
    expect(await room.write(path, 'häuser')).toBe(true);
    expect(await room.readText(path)).toBe('häuser');
    expect(await room.stat(path)).toEqual({ path, kind: 'file', size: 7, modified: expect.any(Number) });
    expect((await room.list(room.inside)).entries).toMatchObject([{ path: `${room.inside}/2026`, kind: 'folder' }]);
    expect(await room.remove(path)).toBe(true);
    expect(await room.remove(path)).toBe(false);
    expect(await room.remove(folderOf(path))).toBe(true);
    expect(room.denied).toEqual([]);
  });

  it('are written whole or not at all: a body that breaks off leaves the old file, and no draft', async () => {
    const room = openFileRoom({ disk });
    const path = `${room.inside}/a.txt`;
    await room.write(path, 'old');
    await expect(room.write(path, pieces('ne', new Error('gone')))).rejects.toMatchObject({ code: 'INVALID_CALL' });
    expect(readFileSync(path, 'utf8')).toBe('old');
    await until(() => readdirSync(room.inside).length === 1);
    expect(await room.write(path, pieces('n', 'e', 'w'), { flush: true })).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readdirSync(room.inside)).toEqual(['a.txt']);
  });

  it('are left alone with overwrite: false, and the body is let go', async () => {
    const room = openFileRoom({ disk });
    const path = `${room.inside}/a.txt`;
    expect(await room.write(path, 'first', { overwrite: false })).toBe(true);
    const late = pieces('second');
    expect(await room.write(path, late, { overwrite: false })).toBe(false);
    expect([readFileSync(path, 'utf8'), late.cancelled]).toEqual(['first', 1]);
    expect(await room.readText(path)).toBe('first');
    const races = await Promise.all(
      Array.from({ length: 10 }, (_, index) => room.write(`${room.inside}/b`, `${index}`, { overwrite: false })),
    );
    expect(races.filter(Boolean)).toHaveLength(1);
    await until(() => readdirSync(room.inside).length === 2);
  });

  it('keep the permission bits of the file that they replace', async () => {
    const room = openFileRoom({ disk });
    const path = `${room.inside}/a.txt`;
    writeFileSync(path, 'old', { mode: 0o600 });
    await room.write(path, 'new');
    expect(statSync(path).mode & 0o7777).toBe(0o600);
  });

  it('are bounded in size, both ways and while they grow', async () => {
    const room = openFileRoom({ disk, maxBytes: 10 });
    const path = `${room.inside}/a.txt`;
    writeFileSync(path, 'x'.repeat(11));
    await expect(room.readText(path)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await expect(room.write(path, pieces('x'.repeat(6), 'x'.repeat(5)))).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: `${path} would have more than 10 bytes.`,
    });
    expect(await room.write(path, 'x'.repeat(10))).toBe(true);
    const source = await room.open(path);
    writeFileSync(path, 'x'.repeat(1000));
    await expect(source.read()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  });

  it('say what is wrong in words of the path that was asked for', async () => {
    const room = openFileRoom({ disk, files: { 'granted/folder/x': 'x', 'granted/file': 'x' } });
    const { inside } = room;
    const message = (run: Promise<unknown>) =>
      run.then(
        () => 'no error',
        (error: { code: string; message: string }) => `${error.code} ${error.message.replace(inside, '')}`,
      );
    expect(await message(room.readText(`${inside}/nope`))).toBe('NOT_FOUND /nope does not exist.');
    expect(await message(room.readText(`${inside}/folder`))).toBe('INVALID_CALL /folder is a folder.');
    expect(await message(room.write(`${inside}/folder`, 'x'))).toBe('INVALID_CALL /folder is a folder.');
    expect(await message(room.remove(`${inside}/folder`))).toContain(
      'INVALID_CALL /folder is a folder that is not empty',
    );
    expect(await message(room.list(`${inside}/file`))).toContain('INVALID_CALL /file is no folder');
    expect(await message(room.list(`${inside}/nope`))).toBe('NOT_FOUND /nope does not exist.');
    expect(await message(room.readText(`${inside}/file/x`))).toContain('INVALID_CALL /file/x is no folder');
    expect(await message(room.readText(inside))).toBe('INVALID_CALL  is the granted folder itself.');
    expect(await message(room.remove(inside))).toBe('INVALID_CALL  is the granted folder itself.');
    expect(await message(room.write(inside, 'x'))).toBe('INVALID_CALL  is the granted folder itself.');
    expect(await room.stat(inside)).toMatchObject({ kind: 'folder' });
    expect(await room.stat(`${inside}/nope/nope`)).toBeNull();
  });

  it('are listed in pages that leave nothing out and show nothing twice', async () => {
    const room = openFileRoom({ disk });
    const names = new Set<string>();
    for (const folder of ['', 'b/', 'b/c/', 'd/', 'empty/']) {
      mkdirSync(join(room.inside, folder), { recursive: true });
      if (folder !== '') names.add(folder.slice(0, -1));
      for (const name of folder === 'empty/' ? [] : ['a', 'b!', 'z', 'ü', '\u0001']) {
        writeFileSync(join(room.inside, folder, name), name);
        names.add(`${folder}${name}`);
      }
    }
    const whole = await room.list(room.inside, { recursive: true });
    expect(whole.cursor).toBeUndefined();
    const paths = whole.entries.map(({ path }) => path.slice(room.inside.length + 1));
    expect(new Set(paths)).toEqual(names);
    for (const limit of [1, 2, 3, 7, names.size - 1, names.size]) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await room.list(room.inside, {
          recursive: true,
          limit,
          ...(cursor === undefined ? {} : { cursor }),
        });
        seen.push(...page.entries.map(({ path }) => path.slice(room.inside.length + 1)));
        ({ cursor } = page);
      } while (cursor !== undefined);
      expect(seen).toEqual(paths);
    }
  });

  it('are listed on after the entry of the cursor is gone', async () => {
    const room = openFileRoom({ disk, files: { 'granted/a/1': '', 'granted/a/2': '', 'granted/b': '' } });
    const { cursor } = await room.list(room.inside, { recursive: true, limit: 2 });
    expect(cursor).toBe(`${room.inside}/a/1`);
    await room.remove(`${room.inside}/a/1`);
    const { entries } = await room.list(room.inside, { recursive: true, cursor });
    expect(entries.map(({ path }) => path.slice(room.inside.length))).toEqual(['/a/2', '/b']);
  });

  it('are listed past what is not shown, however short the page', async () => {
    const sealed: string[] = [];
    const names = ['a/x', 'b/x', 'c/x', 'd/x', 'e'];
    const files = Object.fromEntries(names.map((name) => [`granted/${name}`, '']));
    const room = openFileRoom({ disk, sealed, files });
    sealed.push(...['a', 'b', 'c', 'd'].map((name) => `${room.inside}/${name}`));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await room.list(room.inside, { limit: 1, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.entries.map(({ path }) => path));
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(seen).toEqual([`${room.inside}/e`]);
  });

  it('leave out names that are no UTF-8, which no text can ask for', async () => {
    const room = openFileRoom({ disk });
    writeFileSync(Buffer.concat([Buffer.from(`${room.inside}/`), Buffer.from([0x66, 0xff])]), 'x');
    writeFileSync(`${room.inside}/f`, 'x');
    expect((await room.list(room.inside)).entries).toMatchObject([{ path: `${room.inside}/f` }]);
  });

  it('tell when they were changed', async () => {
    const room = openFileRoom({ disk, files: { 'granted/a': 'x' } });
    utimesSync(`${room.inside}/a`, 1000, 1000);
    expect(await room.stat(`${room.inside}/a`)).toMatchObject({ modified: 1_000_000 });
  });
});

describe('grants', () => {
  const only = (access: string) => (inside: string) => [`files:${access}:${inside}`];

  it('to read do not let write, and grants to write do not let read; each refusal names the permission', async () => {
    const reading = openFileRoom({ grants: only('read'), files: { 'granted/a': 'x' } });
    const writing = openFileRoom({ grants: only('write'), files: { 'granted/a': 'x' } });
    expect(await reading.readText(`${reading.inside}/a`)).toBe('x');
    for (const run of [() => reading.write(`${reading.inside}/b`, 'x'), () => reading.remove(`${reading.inside}/a`)]) {
      await expect(run()).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        message: expect.stringContaining(`needs the permission files:write:${reading.inside}.`),
      });
    }
    expect(reading.denied).toHaveLength(2);
    expect(await writing.write(`${writing.inside}/b`, 'x')).toBe(true);
    const path = `${writing.inside}/a`;
    for (const run of [() => writing.readText(path), () => writing.stat(path), () => writing.list(writing.inside)]) {
      await expect(run()).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        message: expect.stringContaining(`needs the permission files:read:${writing.inside}.`),
      });
    }
    expect(writing.denied).toHaveLength(3);
  });

  it('do not reach beside their folder, not by a name that begins alike', async () => {
    const room = openFileRoom({ files: { 'granted2/a': 'x' } });
    for (const path of [room.outside, `${room.outside}/secret.txt`, `${room.inside}2/a`, '/etc/passwd', '/etc']) {
      await expect(room.readText(path)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      await expect(room.list(path)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      await expect(room.remove(path)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
  });
});

describe('arguments', () => {
  const bad: unknown[] = [undefined, null, 5, {}, [], ['/a'], '', '/', 'a', 'x'.repeat(4097), { toString: '/a' }];
  it.each(bad)('that are no path are refused: %j', async (path) => {
    const room = openFileRoom();
    for (const method of ['read', 'stat', 'remove']) {
      await expect(room.call(method, path)).rejects.toMatchObject({ code: 'INVALID_CALL' });
      await expect(room.call(method, '/a', path)).rejects.toMatchObject({ code: 'INVALID_CALL' });
    }
    await expect(room.list(path as string)).rejects.toMatchObject({ code: 'INVALID_CALL' });
    await expect(room.write(path as string, 'x')).rejects.toMatchObject({ code: 'INVALID_CALL' });
    expect(room.discarded).toHaveLength(1);
  });

  it.each([
    [{ limit: 0 }],
    [{ limit: 1001 }],
    [{ limit: 1.5 }],
    [{ recursive: 1 }],
    [{ more: 1 }],
    [{ cursor: '/etc/passwd' }],
    [{ cursor: null }],
  ])('of list are refused: %j', async (options) => {
    const room = openFileRoom();
    await expect(room.list(room.inside, options)).rejects.toMatchObject({ code: 'INVALID_CALL' });
  });

  it('of list may not lead elsewhere by the cursor', async () => {
    const room = openFileRoom();
    for (const cursor of ['', '/..', '/../secret.txt', '/a/../..', '2/a', '/a//b']) {
      await expect(room.list(room.inside, { cursor: room.inside + cursor })).rejects.toMatchObject({
        code: 'INVALID_CALL',
      });
    }
  });
});

describe('any text', () => {
  const step = fc.constantFrom(
    '..',
    '.',
    '',
    'granted',
    'a',
    'secret.txt',
    '\0',
    '\\..',
    '%2e%2e',
    '．．',
    ' ..',
    '.. ',
    '\ud800',
  );
  const tail = fc.array(fc.oneof(step, fc.string({ maxLength: 8, unit: 'binary' })), { maxLength: 8 });

  it('reads nothing outside of the granted folder, and writes nothing there', async () => {
    const room = openFileRoom({ files: { 'granted/a': 'inside' } });
    await fc.assert(
      fc.asyncProperty(tail, fc.boolean(), async (steps, fromInside) => {
        const path = `${fromInside ? room.inside : room.outside}/${steps.join('/')}`;
        const text = await room.readText(path).catch(() => undefined);
        expect([undefined, 'inside', 'written']).toContain(text);
        const isWritten = await room.write(path, 'written').catch(() => false);
        if (isWritten) expect(isWithin(room.inside, path)).toBe(true);
        await room.list(path).then(
          ({ entries }) => expect(entries.every((entry) => isWithin(room.inside, entry.path))).toBe(true),
          () => {},
        );
        await room.remove(path).catch(() => false);
        expect(readdirSync(room.outside).sort()).toEqual(['granted', 'secret.txt']);
        expect(readFileSync(`${room.outside}/secret.txt`, 'utf8')).toBe('outside');
        if (!readdirSync(room.inside).includes('a')) writeFileSync(`${room.inside}/a`, 'inside');
      }),
      { numRuns: 150 },
    );
  });

  it('that is taken as a path has one spelling: its steps, joined, are the text', () => {
    fc.assert(
      fc.property(tail, (steps) => {
        const path = `/${steps.join('/')}`;
        if (explainFilePath(path) !== undefined) return;
        expect(join(path)).toBe(path);
        expect(Buffer.from(path).toString()).toBe(path);
      }),
    );
  });
});

describe('what is open at once', () => {
  it('is bounded, and given back when it is read, cancelled, or forgotten', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const room = openFileRoom({ files: { 'granted/a': 'inside' }, idleMs: 1000 });
      const path = `${room.inside}/a`;
      const open = await Promise.all(Array.from({ length: 16 }, () => room.open(path)));
      await expect(room.open(path)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
      await expect(room.write(path, 'x')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
      open[0]?.cancel();
      open[0]?.cancel();
      expect(await room.readText(path)).toBe('inside');
      expect(await room.readText(path)).toBe('inside');
      vi.advanceTimersByTime(1000);
      await expect(open[1]?.read()).rejects.toMatchObject({
        code: 'FILES_UNAVAILABLE',
        message: `${path} was closed: nobody read on for 1 seconds.`,
      });
      await Promise.all(Array.from({ length: 16 }, () => room.open(path)));
    } finally {
      vi.useRealTimers();
    }
  });

  it('does not stay open for a body that never comes', async () => {
    const room = openFileRoom({ idleMs: 20 });
    const silent: ByteSource = { read: () => new Promise(() => {}), cancel: () => {} };
    for (let round = 0; round < 20; round++) {
      await expect(room.write(`${room.inside}/a`, silent)).rejects.toMatchObject({ code: 'FILES_UNAVAILABLE' });
    }
    await until(() => readdirSync(room.inside).length === 0);
  });

  it('leaves no handle behind, whatever went wrong', async () => {
    const room = openFileRoom({ files: { 'granted/a/b/c': 'inside' } });
    const count = (): number => readdirSync('/proc/self/fd').length;
    const round = async (): Promise<void> => {
      await Promise.allSettled([
        room.readText(`${room.inside}/a/b/c`),
        room.readText(`${room.inside}/a/b`),
        room.readText(`${room.inside}/a/b/c/d`),
        room.write(`${room.inside}/a/b`, 'x'),
        room.write(`${room.inside}/a/d/e`, 'x', { flush: true }),
        room.list(room.inside, { recursive: true }),
        room.list(`${room.inside}/a/b/c`),
        room.stat(`${room.inside}/nope`),
        room.remove(`${room.inside}/a`),
      ]);
    };
    await round();
    const before = count();
    for (let times = 0; times < 10; times++) await round();
    await until(() => count() <= before);
  });

  it('is nothing any more once the instance has ended', async () => {
    const room = openFileRoom({ files: { 'granted/a': 'inside' } });
    room.end();
    await expect(room.readText(`${room.inside}/a`)).rejects.toMatchObject({ code: 'FILES_UNAVAILABLE' });
  });
});
