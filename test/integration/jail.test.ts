/**
 * Behind the realm: what code gets that has left it and has all of Node, in cells with attackers in the place of their
 * programs. `cells` are as the host starts them; `free` ones lack Node's permissions, so that what the operating system
 * holds shows alone.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cellFilesIn } from '../../runtime/cells/build.ts';
import { probeJail } from '../../runtime/cells/jail/probe-jail.ts';
import { openCellRoom } from '../support/cell-room.ts';
import { attack, done, hold, missingBubblewrap, missingOtherUser } from '../support/jail-scenario.ts';
import { isRunning } from '../support/processes.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const isRoot = process.getuid?.() === 0;
const isCi = process.env.CI !== undefined;

/** What is left to code that has left Node's permissions as well: in words of test/fixtures/jail/attacks.js. */
const INSIDE_ONLY = ['child', 'native code', 'inspector'];
const OPEN_TO_ALL = [
  'command line of the parent',
  'users of the machine',
  'list of processes',
  'folder for all',
  'socket for all',
  'thread with more permissions',
  ...INSIDE_ONLY,
];
/** Between processes of one user; the debugger is no function of threads. */
const SAME_USER = ['signal to the host', 'signal to a neighbour', 'priority of the host'];
const FILES_OF_THE_USER = ['own command line', 'secret of the host', 'descriptors of the host', 'socket of the host'];

const places = [
  { jail: 'auto', user: 'root', missing: isRoot ? undefined : 'The tests do not run as root.' },
  { jail: 'auto', user: 'somebody', missing: missingOtherUser },
  { jail: 'bwrap', user: 'root', missing: missingBubblewrap ?? (isRoot ? undefined : 'The tests do not run as root.') },
  { jail: 'bwrap', user: 'somebody', missing: missingBubblewrap ?? missingOtherUser },
] as const;

it.skipIf(!isRoot)('nothing holds a process that is started as usual: every attack does what it is after', async () => {
  const { main } = await attack({ jail: 'none', kind: 'free' });
  expect(Object.keys(main).length).toBeGreaterThan(30);
  expect(done(main)).toEqual(Object.keys(main));
});

describe.each(places)('jail: $jail, the host is $user', ({ jail, user, missing }) => {
  const asOther = user === 'somebody';
  const because = missing === undefined ? '' : ` (${missing})`;
  // One that only some machines can do is left out; bubblewrap can be had on every machine of ours.
  const skip = missing !== undefined && !(isCi && missing === missingBubblewrap);
  const isOpen = jail === 'auto' && asOther;
  const leftOpen =
    jail === 'bwrap' ? INSIDE_ONLY : [...OPEN_TO_ALL, ...(asOther ? [...SAME_USER, ...FILES_OF_THE_USER] : [])];

  it.skipIf(skip)(
    `a thread of a module gets nothing at all, and code beyond it what the system leaves open${because}`,
    async () => {
      const { main, thread, beyond, neighbourLives } = await attack({ jail, kind: 'cells' }, { asOther });
      // As the same user it can signal: which is why such a host is told to turn bubblewrap on.
      expect(done(thread).sort()).toEqual(isOpen ? [...SAME_USER].sort() : []);
      // No module is ever on this thread, which may start threads, and give them what Node took from itself.
      const mayStart = jail === 'auto' ? ['thread with more permissions'] : [];
      expect(done(main).sort()).toEqual(
        [...mayStart, ...(isOpen ? [...SAME_USER, 'debugger of the host'] : [])].sort(),
      );
      // What such a thread has is what the operating system leaves to it; Node loads native code for a whole process.
      expect(done(beyond).sort()).toEqual(leftOpen.filter((name) => name !== 'native code').sort());
      expect(neighbourLives).toBe(true);
    },
  );

  it.skipIf(skip)(`the operating system holds alone what Node does not${because}`, async () => {
    const { thread, neighbourLives } = await attack({ jail, kind: 'free' }, { asOther });
    expect(done(thread).sort()).toEqual([...leftOpen].sort());
    expect(neighbourLives).toBe(true);
  });

  it.skipIf(skip)(`a cell does not get more memory than its ceiling${because}`, async () => {
    const { main, neighbourLives } = await attack({ jail, kind: 'free', only: ['all memory'] }, { asOther });
    expect(main).toEqual({ 'all memory': 'Array buffer allocation failed' });
    expect(neighbourLives).toBe(true);
  });

  it.skipIf(skip)(`a host that is killed takes cells along that do not listen${because}`, async () => {
    const host = await hold({ jail, kind: 'cells' }, { asOther });
    expect(host.cells.map(isRunning)).toEqual([true, true]);
    process.kill(host.processId, 'SIGKILL');
    await until(() => !host.cells.some(isRunning));
  });
});

describe.each([
  ['auto', undefined],
  ['bwrap', missingBubblewrap],
] as const)('a cell with jail: %s', (jail, missing) => {
  const skip = missing !== undefined && !isCi;
  const because = missing === undefined ? '' : ` (${missing})`;

  it.skipIf(skip)(`runs modules, and is known by the process that runs them${because}`, async () => {
    const room = await openCellRoom({ jail });
    onTestFinished(() => room.close());
    const guest = await room.boot('onhello() { return { hello: 1 }; }');
    expect(await guest.json('hello')).toEqual({ hello: 1 });
    const [processId = 0] = room.cells.processIds;
    const status = readFileSync(`/proc/${processId}/status`, 'utf8');
    expect(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])).toBeGreaterThan(30_000);
    expect(Number(/Threads:\s+(\d+)/.exec(status)?.[1])).toBeGreaterThan(4);
    for (const kind of ['net', 'ipc'])
      expect(readlinkSync(`/proc/${processId}/ns/${kind}`)).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
    const limits = readFileSync(`/proc/${processId}/limits`, 'utf8');
    for (const name of ['core file size', 'file size', 'locked memory', 'msgqueue size'])
      expect(limits).toMatch(new RegExp(`^Max ${name}\\s+0\\s+0\\s`, 'm'));
    const numbers = (name: string): number[] =>
      (new RegExp(`^Max ${name}\\s+(\\d+)\\s+(\\d+)\\s`, 'm').exec(limits) ?? []).slice(1).map(Number);
    expect(Math.max(...numbers('open files'))).toBeLessThanOrEqual(8_192);
    if (isRoot) expect(Math.max(...numbers('processes'))).toBeLessThanOrEqual(1_024);
    expect(numbers('data size')).toHaveLength(2);
    process.kill(processId, 'SIGKILL');
    expect(await guest.exit).toMatchObject({ reason: 'cell' });
    await until(() => room.cells.processIds.length === 0);
  });

  it.skipIf(skip)(`ends as a whole when the host kills it${because}`, async () => {
    const room = await openCellRoom({ jail });
    onTestFinished(() => room.close());
    const guest = await room.boot('onloop() { for (;;); }');
    const [processId = 0] = room.cells.processIds;
    guest.call('loop').catch(() => {});
    guest.instance.cell.kill();
    await guest.exit;
    await until(() => !isRunning(processId));
  });

  it.skipIf(skip)(`leaves nothing behind${because}`, async () => {
    const room = await openCellRoom({ jail });
    await room.boot('onhello() { return { hello: 1 }; }');
    await room.close();
    const left = ['/run', '/dev/shm', '/tmp'].flatMap((folder) => readdirSync(folder));
    expect(left.filter((name) => new RegExp(`^plexi-cells-\\d+-${process.pid}-`).test(name))).toEqual([]);
  });
});

describe('a probe', () => {
  const program = new URL('../../runtime/cells/jail/probe-jail.ts', import.meta.url).pathname;
  /** Probes in a process that setpriv makes another than this one. */
  const probeAs = (flags: readonly string[], jail: string): string => {
    const code = `
      const { probeJail } = await import(${JSON.stringify(program)});
      const { layers } = await probeJail({ jail: '${jail}' }).catch((error) => ({ layers: String(error) }));
      console.log(JSON.stringify(layers));`;
    const node = [process.execPath, '--input-type=module', '-e', code];
    return execFileSync('setpriv', [...flags, '--', ...node], { encoding: 'utf8' });
  };
  /** One that may not do what root may. */
  const probeWithout = (jail: string): string => probeAs(['--bounding-set=-all', '--inh-caps=-all'], jail);

  it.skipIf(!isRoot)('finds all that this machine has', async () => {
    const { layers } = await probeJail({ jail: 'auto' });
    expect(layers.filter(({ on }) => !on).map(({ name }) => name)).toEqual(['bwrap']);
    expect(layers.filter(({ lacking }) => lacking)).toEqual([]);
  });

  it.skipIf(!isRoot)('takes the groups of the host from cells', () => {
    const layers = JSON.parse(probeAs(['--groups=4,24'], 'auto')) as { name: string; on: boolean }[];
    expect(layers.filter(({ on }) => !on).map(({ name }) => name)).toEqual(['bwrap']);
  });

  it.skipIf(!isRoot)('goes on without a layer that does not hold, and says what that means', () => {
    const layers = JSON.parse(probeWithout('auto')) as { name: string; lacking: boolean; meaning: string }[];
    const lacking = layers.filter((layer) => layer.lacking);
    expect(lacking.map(({ name }) => name)).toEqual(['user', 'network']);
    expect(lacking[0]?.meaning).toContain('the host lacks the capabilities SETUID and SETGID');
  });

  it.skipIf(!isRoot || missingBubblewrap !== undefined)(
    'refuses to do without bubblewrap when it has to be there',
    () => {
      const said = JSON.parse(probeWithout('bwrap')) as string;
      expect(said).toMatch(/^JailError: .*insists on bubblewrap, which does not work here: .*not permitted/);
      expect(said).toContain('apt-get install bubblewrap');
    },
  );

  it('leaves no process and no socket behind', () => {
    const code = `
      const { readdirSync, readFileSync, readlinkSync } = await import('node:fs');
      const { probeJail } = await import(${JSON.stringify(program)});
      const lead = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } };
      const open = () => readdirSync('/proc/self/fd').filter((fd) => lead(fd).startsWith('socket')).length;
      const before = open();
      await probeJail({ jail: 'auto' });
      // The pipes of a child that has ended are closed in the next turns.
      while (open() > before) await new Promise((resolve) => setTimeout(resolve, 10));
      const children = () => readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8');
      // One that has ended is there until somebody asks for it, which takes some turns too.
      for (let turn = 0; turn < 500 && children() !== ''; turn++) await new Promise((resolve) => setTimeout(resolve, 10));
      console.log(JSON.stringify(children()));`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(JSON.parse(said)).toBe('');
  });
});

it.skipIf(!isRoot)('no other user can change what cells run', async () => {
  const folder = tempFolder({ 'package.json': '{}', 'cell.js': '', 'empty/nothing': '' });
  const jail = await (await probeJail({ jail: 'auto' })).open(cellFilesIn(folder, ''));
  onTestFinished(() => jail.close());
  for (const path of [jail.files.program, join(jail.files.emptyFolder, 'new'), join(jail.files.folder, 'new')]) {
    const write = ['--reuid=66001', '--regid=66001', '--clear-groups', '--', 'touch', path];
    expect(spawnSync('setpriv', write).status).toBe(1);
  }
});
