/** Ways out of a granted folder: links, races, special files, and the host's own data. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Disk } from '../../runtime/capabilities/file-disk.ts';
import { type FileRoom, openFileRoom } from '../support/file-room.ts';
import { until } from '../support/until.ts';

const SWAP = fileURLToPath(new URL('../support/swap-forever.ts', import.meta.url));
const isLinux = process.platform === 'linux';

/** Every way to ask for a path; what each ended with. */
async function tryAll(room: FileRoom, path: string): Promise<string[]> {
  const runs = [
    room.readText(path),
    room.write(path, 'hacked'),
    room.list(path),
    room.list(path, { recursive: true }),
    room.remove(path),
  ];
  const ended = await Promise.allSettled(runs);
  return ended.map((end) => (end.status === 'fulfilled' ? 'ok' : (end.reason as { code: string }).code));
}

describe.each([
  ['by handles, as on Linux', new Disk()],
  ['by paths, as elsewhere', new Disk(false)],
])('no way out, %s:', (_name, disk) => {
  it('a link to a file, to a folder, to nothing, to itself, anywhere in the path', async () => {
    const room = openFileRoom({ disk, files: { 'beside/secret.txt': 'outside', 'granted/a': 'x' } });
    const { inside, outside } = room;
    symlinkSync(`${outside}/secret.txt`, `${inside}/file`);
    symlinkSync('../secret.txt', `${inside}/relative`);
    symlinkSync(outside, `${inside}/folder`);
    symlinkSync('/', `${inside}/root`);
    symlinkSync(`${outside}/nothing`, `${inside}/dangling`);
    symlinkSync('self', `${inside}/self`);
    symlinkSync(`${inside}/a`, `${inside}/within`);
    const paths = [
      'file',
      'relative',
      'folder',
      'folder/secret.txt',
      'folder/beside/secret.txt',
      'folder/new.txt',
      'folder/granted/a',
      'root/etc/passwd',
      'dangling',
      'dangling/x',
      'self',
      'self/x',
      'within',
    ];
    for (const path of paths) {
      expect(await tryAll(room, `${inside}/${path}`), path).toEqual(Array(5).fill('PERMISSION_DENIED'));
    }
    expect(room.denied).toHaveLength(5 * paths.length);
    expect(room.denied[0]).toContain('leads over a link ("file"); links are not followed');
    expect(readdirSync(outside).sort()).toEqual(['beside', 'granted', 'secret.txt']);
    expect(existsSync(`${outside}/nothing`)).toBe(false);
    expect(readFileSync(`${outside}/secret.txt`, 'utf8')).toBe('outside');
  });

  it('a listing goes into no link, and shows what it is', async () => {
    const room = openFileRoom({ disk });
    symlinkSync(room.outside, `${room.inside}/folder`);
    const { entries } = await room.list(room.inside, { recursive: true });
    expect(entries).toMatchObject([{ path: `${room.inside}/folder`, kind: 'other', size: 0 }]);
  });

  it('the granted folder may be a link of the operator', async () => {
    const room = openFileRoom({ disk, grants: (inside) => [`files:read:${inside}-link`] });
    writeFileSync(`${room.inside}/a`, 'inside');
    symlinkSync(room.inside, `${room.inside}-link`);
    expect(await room.readText(`${room.inside}-link/a`)).toBe('inside');
    symlinkSync(room.outside, `${room.inside}/out`);
    await expect(room.readText(`${room.inside}-link/out/secret.txt`)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    await expect(room.readText(`${room.inside}/a`)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('another name of a file from outside is not read, and writing leaves the file behind it as it is', async () => {
    const room = openFileRoom({ disk });
    linkSync(`${room.outside}/secret.txt`, `${room.inside}/hard`);
    await expect(room.readText(`${room.inside}/hard`)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('has 2 names on the disk'),
    });
    await room.write(`${room.inside}/hard`, 'mine');
    expect(readFileSync(`${room.outside}/secret.txt`, 'utf8')).toBe('outside');
    expect(await room.readText(`${room.inside}/hard`)).toBe('mine');
  });

  it.runIf(isLinux)('pipes, devices and sockets are neither opened, waited for, replaced nor removed', async () => {
    const room = openFileRoom({ disk });
    const { inside } = room;
    execFileSync('mkfifo', [`${inside}/pipe`]);
    const server = createServer().listen(`${inside}/socket`);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const names = ['pipe', 'socket'];
    try {
      execFileSync('mknod', [`${inside}/null`, 'c', '1', '3'], { stdio: 'ignore' });
      names.push('null');
    } catch {
      // Only root makes devices.
    }
    for (const name of names) {
      const ends = await tryAll(room, `${inside}/${name}`);
      expect(ends, name).toEqual(Array(5).fill('INVALID_CALL'));
      expect(lstatSync(`${inside}/${name}`).isFile()).toBe(false);
      expect(await room.stat(`${inside}/${name}`)).toMatchObject({ kind: 'other' });
    }
  });

  it("the host's own folders are closed, whatever was granted, and are not even listed", async () => {
    const files = { 'granted/host/token.secret': 'key', 'granted/host/cache/x': 'x', 'granted/a': 'x' };
    const sealed: string[] = [];
    const room = openFileRoom({ disk, files, sealed });
    const host = `${room.inside}/host`;
    sealed.push(host, `${room.inside}/not-there-yet`);
    for (const path of [`${host}/token.secret`, `${host}/cache/x`, `${host}/new`, `${host}/cache/new/er`]) {
      const ends = await tryAll(room, path);
      expect(ends, path).toEqual(Array(5).fill('PERMISSION_DENIED'));
    }
    const more = [
      () => room.stat(host),
      () => room.list(host),
      () => room.remove(host),
      () => room.stat(`${host}/token.secret`),
    ];
    for (const run of more) {
      await expect(run()).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
    for (const path of ['not-there-yet', 'not-there-yet/x', 'not-there-yet/x/y']) {
      await expect(room.write(`${room.inside}/${path}`, 'x')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
    const { entries } = await room.list(room.inside, { recursive: true });
    expect(entries.map(({ path }) => path)).toEqual([`${room.inside}/a`]);
    expect(readdirSync(host).sort()).toEqual(['cache', 'token.secret']);
    expect(room.denied.join('\n')).toContain("belongs to the host's own data");
  });

  it("a grant inside of the host's own folder, or on it, opens nothing", async () => {
    for (const granted of ['', '/cache']) {
      const sealed: string[] = [];
      const files = { 'granted/token.secret': 'key', 'granted/cache/x': 'x' };
      const room = openFileRoom({
        disk,
        files,
        sealed,
        grants: (inside) => [`files:read:${inside}${granted}`, `files:write:${inside}${granted}`],
      });
      sealed.push(room.inside);
      const ends = await tryAll(room, `${room.inside}${granted}/x`);
      expect(ends).not.toContain('ok');
      expect(readdirSync(room.inside).sort()).toEqual(['cache', 'token.secret']);
    }
  });

  it("a link of the operator's that leads into the host's own folder opens nothing", async () => {
    const sealed: string[] = [];
    const room = openFileRoom({
      disk,
      files: { 'host/token.secret': 'key' },
      sealed,
      grants: (inside) => [`files:read:${inside}/door`],
    });
    sealed.push(`${room.outside}/host`);
    symlinkSync(`${room.outside}/host`, `${room.inside}/door`);
    await expect(room.readText(`${room.inside}/door/token.secret`)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
  });
});

describe.runIf(isLinux)('doors into the kernel', () => {
  it.each(['/proc/self', '/proc', '/sys/kernel', '/dev', '/dev/shm', '/proc/self/fd'])(
    'are no folders, even when somebody grants them: %s',
    async (folder) => {
      const room = openFileRoom({ grants: () => [`files:read:${folder}`, `files:write:${folder}`] });
      for (const name of ['environ', 'null', 'stat', '0', 'version', 'x']) {
        const ends = await tryAll(room, `${folder}/${name}`);
        expect(ends, name).not.toContain('ok');
      }
      await expect(room.list(folder)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    },
  );
});

describe.runIf(isLinux)('a mount in the granted folder', () => {
  /** Only root may mount, and not everywhere: false then. It is gone before the folder around it is removed. */
  async function withMount(from: string, to: string, use: () => Promise<void>): Promise<boolean> {
    try {
      execFileSync('mount', ['--bind', from, to], { stdio: 'ignore' });
    } catch {
      return false;
    }
    try {
      await use();
    } finally {
      execFileSync('umount', ['-l', to]);
    }
    return true;
  }

  it('that is a door into the kernel is closed, and a listing of the rest goes past it', async ({ skip }) => {
    const room = openFileRoom({ files: { 'granted/a': 'x', 'granted/doors/x': '', 'granted/z': 'x' } });
    const couldMount = await withMount('/proc', `${room.inside}/doors`, async () => {
      for (const path of ['self/environ', 'version', 'self/cwd/package.json', '1/environ']) {
        await expect(room.readText(`${room.inside}/doors/${path}`)).rejects.toMatchObject({
          code: 'PERMISSION_DENIED',
        });
      }
      await expect(room.list(`${room.inside}/doors`)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      const denied = room.denied.length;
      const { entries } = await room.list(room.inside, { recursive: true });
      expect(entries.map(({ path }) => path.slice(room.inside.length))).toEqual(['/a', '/doors', '/z']);
      expect(room.denied).toHaveLength(denied);
    });
    if (!couldMount) skip('mounting is not allowed here');
  });

  it("that is the host's own folder under another name is closed", async ({ skip }) => {
    const sealed: string[] = [];
    const room = openFileRoom({ files: { 'host/token.secret': 'key', 'granted/door/x': '' }, sealed });
    sealed.push(`${room.outside}/host`);
    const couldMount = await withMount(`${room.outside}/host`, `${room.inside}/door`, async () => {
      const ends = await tryAll(room, `${room.inside}/door/token.secret`);
      expect(ends).toEqual(Array(5).fill('PERMISSION_DENIED'));
      expect((await room.list(room.inside, { recursive: true })).entries).toEqual([]);
    });
    if (!couldMount) skip('mounting is not allowed here');
  });
});

describe.runIf(isLinux)('a process that swaps names all the time', () => {
  async function swap(folder: string, one: string, other: string): Promise<() => Promise<void>> {
    const child = spawn(process.execPath, [SWAP, folder, one, other], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    const stop = async (): Promise<void> => {
      child.kill('SIGKILL');
      await exit;
    };
    onTestFinished(stop);
    await once(child.stdout, 'data');
    return stop;
  }

  /** Goes on until each of these ends was met, and so many rounds at least. */
  async function race(run: () => Promise<string>, wanted: readonly string[], least = 300): Promise<void> {
    const met = new Set<string>();
    let rounds = 0;
    await until(async () => {
      for (let times = 0; times < 20; times++) met.add(await run().catch((error: { code: string }) => error.code));
      rounds += 20;
      return rounds >= least && wanted.every((each) => met.has(each));
    });
  }

  it.each([
    ['by handles', new Disk()],
    ['by paths', new Disk(false)],
  ])('folder and link: nothing outside is read, %s', async (_name, disk) => {
    const room = openFileRoom({ disk, files: { 'granted/sub/a': 'inside', 'beside/a': 'outside' } });
    symlinkSync(`${room.outside}/beside`, `${room.inside}/link`);
    await swap(room.inside, 'sub', 'link');
    await race(async () => {
      const text = await room.readText(`${room.inside}/sub/a`);
      expect(text).toBe('inside');
      return text;
    }, ['inside', 'PERMISSION_DENIED']);
  });

  it.each([
    ['by handles', new Disk()],
    ['by paths', new Disk(false)],
  ])('file and link: nothing outside is read, %s', async (_name, disk) => {
    const room = openFileRoom({ disk, files: { 'granted/a': 'inside' } });
    symlinkSync(`${room.outside}/secret.txt`, `${room.inside}/link`);
    await swap(room.inside, 'a', 'link');
    await race(async () => {
      const text = await room.readText(`${room.inside}/a`);
      expect(text).toBe('inside');
      return text;
    }, ['inside', 'PERMISSION_DENIED']);
  });

  it('folder and link: nothing outside is listed, looked at, removed, written or made', async () => {
    const room = openFileRoom({
      files: { 'granted/sub/a': 'inside', 'beside/a': 'outside', 'beside/only-outside': '' },
    });
    symlinkSync(`${room.outside}/beside`, `${room.inside}/link`);
    const stop = await swap(room.inside, 'sub', 'link');
    const sub = `${room.inside}/sub`;
    let round = 0;
    await race(
      async () => {
        round += 1;
        await room.write(`${sub}/made/${round % 3}/x`, 'inside').catch(() => {});
        await room.remove(`${sub}/only-outside`).catch(() => {});
        expect(await room.stat(`${sub}/only-outside`).catch(() => null)).toBeNull();
        const { entries } = await room.list(sub, { recursive: true });
        expect(entries.map(({ path }) => path)).not.toContain(`${sub}/only-outside`);
        await room.write(`${sub}/a`, `inside ${round}`);
        return 'written';
      },
      ['written', 'PERMISSION_DENIED'],
      60,
    );
    await stop();
    expect(readdirSync(`${room.outside}/beside`).sort()).toEqual(['a', 'only-outside']);
    expect(readFileSync(`${room.outside}/beside/a`, 'utf8')).toBe('outside');
  });

  it('file and link: writing replaces the link at most, never what it names', async () => {
    const room = openFileRoom({ files: { 'granted/a': 'inside' } });
    symlinkSync(`${room.outside}/secret.txt`, `${room.inside}/link`);
    const stop = await swap(room.inside, 'a', 'link');
    for (let round = 0; round < 300; round++) {
      await room.write(`${room.inside}/a`, 'hacked').catch(() => {});
      await room.remove(`${room.inside}/a`).catch(() => {});
      if (!existsSync(`${room.inside}/a`) || !existsSync(`${room.inside}/link`)) break;
    }
    await stop();
    expect(readFileSync(`${room.outside}/secret.txt`, 'utf8')).toBe('outside');
  });

  it('a folder that is moved out while it is written to gets nothing that counts', async () => {
    const room = openFileRoom({ files: { 'granted/sub/a': 'old' } });
    const moved = `${room.outside}/moved`;
    let pieces = 0;
    const source = {
      async read() {
        pieces += 1;
        if (pieces === 2) renameSync(`${room.inside}/sub`, moved);
        return pieces < 4 ? Buffer.from('x') : undefined;
      },
      cancel() {},
    };
    await expect(room.write(`${room.inside}/sub/a`, source)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('was moved out of the granted folder'),
    });
    expect(readFileSync(join(moved, 'a'), 'utf8')).toBe('old');
    await until(() => readdirSync(moved).length === 1);
  });

  it('the granted folder itself, swapped with a link to elsewhere, is where it leads when it is asked', async () => {
    const room = openFileRoom({ files: { 'beside/a': 'named by the operator, too' } });
    writeFileSync(`${room.inside}/a`, 'inside');
    symlinkSync(`${room.outside}/beside`, `${room.outside}/granted.link`);
    await swap(room.outside, 'granted', 'granted.link');
    await race(() => room.readText(`${room.inside}/a`), ['inside', 'named by the operator, too']);
  });
});

it('a draft that a killed host left behind is an ordinary file: it can be listed and removed', async () => {
  const room = openFileRoom({ files: { 'granted/.plexi-00.part': 'half' } });
  const [draft] = (await room.list(room.inside)).entries;
  expect(await room.remove(draft?.path ?? '')).toBe(true);
});
