import { describe, expect, it } from 'vitest';
import { CellMemory, innermost } from '../../runtime/cells/cell-memory.ts';
import { bubblewrapInput } from '../../runtime/cells/jail/bwrap.ts';
import { chain, type Setup, type TriedLayer } from '../../runtime/cells/jail/chain.ts';
import { describeLayers, missingBubblewrap } from '../../runtime/cells/jail/layers.ts';
import type { Machine } from '../../runtime/cells/jail/machine.ts';
import { createCellUsers, reservedUsers } from '../../runtime/cells/jail/users.ts';

const machine: Machine = {
  tools: { setpriv: '/t/setpriv', prlimit: '/t/prlimit', choom: '/t/choom', unshare: '/t/unshare', bwrap: '/t/bwrap' },
  node: '/n/node',
  isRoot: true,
  mayMakeNamespaces: true,
  mayShrinkBounds: true,
  users: { range: { first: 66_000, last: 66_009 }, folder: '/run' },
  ceilings: { dataBytes: 2 ** 30, descriptors: 100, threads: 50 },
};
const bare: Machine = {
  ...machine,
  isRoot: false,
  mayMakeNamespaces: false,
  mayShrinkBounds: false,
  users: 'not root',
};
const place = { program: '/t/bwrap', node: '/node', outsideNode: '/n/node', files: ['/lib/a/libc.so'] };

function line(layers: readonly TriedLayer[], setup: Partial<Setup> = {}): string {
  const { file, args } = chain(
    { machine, ...setup, layers: new Set(layers) },
    { args: ['cell.js'], cwd: '/c/empty', user: 66_001, folder: '/c' },
  );
  return [file, ...args].join(' ');
}

describe('the command line of a cell', () => {
  it('is Node alone where nothing holds', () => {
    expect(line([])).toBe('/n/node cell.js');
  });

  it('takes powers away last, so that each step still has what it needs', () => {
    expect(line(['no-new-privileges', 'user', 'memory', 'network'])).toBe(
      '/t/choom -n 1000 -- /t/prlimit --data=1073741824 --nofile=100 --core=0 --fsize=0 --memlock=0 --msgqueue=0 --nproc=50 -- ' +
        '/t/unshare --net --ipc -- /t/setpriv --reuid=66001 --regid=66001 --clear-groups --no-new-privs --inh-caps=-all ' +
        '--ambient-caps=-all --bounding-set=-all --pdeathsig KILL -- /n/node cell.js',
    );
  });

  it('counts no threads for a user that the host is, and makes namespaces as that user', () => {
    const words = line(['no-new-privileges', 'memory', 'network'], { machine: bare });
    expect(words).not.toMatch(/nproc|reuid|bounding/);
    expect(words).toContain('/t/unshare --user --map-current-user --net --ipc --');
  });

  it('tells bubblewrap where things are by a descriptor, which no process inside can read', () => {
    const setup = { machine, place, layers: new Set<TriedLayer>(['bwrap', 'user']) };
    const { file, args, input } = chain(setup, { args: ['x'], cwd: '/c', user: 66_001, folder: '/home/me/data' });
    expect([file, ...args].join(' ')).toMatch(/^\/t\/bwrap --args 4 -- \/t\/setpriv .* \/node x$/);
    expect([file, ...args].join(' ')).not.toContain('/home/me');
    expect(input).toContain('--ro-bind\0/home/me/data\0/cell\0');
  });

  it('of one that keeps files stays the host’s user, whose folder that is, and may let files grow', () => {
    const all: Setup = { machine, layers: new Set(['no-new-privileges', 'user', 'memory', 'network']) };
    const keeps = { folder: '/home/me/kept', dataBytes: 1_000 };
    const words = chain(all, { args: ['data.js'], cwd: '/c/empty', keeps }).args.join(' ');
    expect(words).toContain('--data=1000 --nofile=100 --core=0 --memlock=0');
    expect(words).toContain('--no-new-privs --inh-caps=-all');
    expect(words).not.toMatch(/fsize|nproc|reuid|clear-groups/);
    const { input } = chain({ machine, place, layers: new Set(['bwrap', 'user']) }, { args: ['x'], cwd: '/c', keeps });
    expect(input).toContain('--bind\0/home/me/kept\0/kept\0');
    expect(input).not.toContain('CAP_SETUID');
  });

  it('gives what is in bubblewrap the power to become another user only if it will', () => {
    const words = (changesUser: boolean, isRoot = true): string => bubblewrapInput(place, {}, { isRoot, changesUser });
    expect(words(true)).toContain('CAP_SETUID');
    expect(words(false)).not.toContain('--cap-add');
    expect(words(false)).toContain('--cap-drop\0ALL');
    expect(words(false, false)).toContain('--unshare-user\0');
  });

  it('makes the folders of libraries before the libraries: bubblewrap would close them to others', () => {
    const words = bubblewrapInput(place, {}, { isRoot: true, changesUser: true });
    expect(words.indexOf('--dir\0/lib/a\0')).toBeGreaterThan(-1);
    expect(words.indexOf('--dir\0/lib/a\0')).toBeLessThan(words.indexOf('--ro-bind\0/lib/a/libc.so'));
  });
});

describe('users of cells', () => {
  it('come from a range that the machine has', () => {
    const all = '         0          0 4294967295';
    expect(reservedUsers([all, all])).toEqual({ first: 66_000, last: 99_999 });
    expect(reservedUsers([all, '0 100000 65536'])).toEqual({ first: 60_600, last: 61_100 });
    expect(reservedUsers(['0 1000 1\n1 100000 65536', all])).toEqual({ first: 60_600, last: 61_100 });
    expect(reservedUsers(['0 1000 1', '0 1000 1'])).toBeUndefined();
    expect(reservedUsers([''])).toBeUndefined();
  });

  it('are never two cells at once, and are used again', () => {
    const users = createCellUsers({ first: 7, last: 9 });
    expect(new Set([users.take(), users.take(), users.take()])).toEqual(new Set([7, 8, 9]));
    expect(() => users.take()).toThrow(RangeError);
    users.free(8);
    expect(users.take()).toBe(8);
  });
});

describe('the layers', () => {
  it('name what is lacking only if it was wanted', () => {
    const names = (found: Partial<Parameters<typeof describeLayers>[0]>): string[] =>
      describeLayers({ machine, on: new Set(), wantsBubblewrap: false, mayLeaveFirstPlace: false, ...found })
        .filter(({ lacking }) => lacking)
        .map(({ name }) => name);
    expect(names({})).toEqual(['no-new-privileges', 'user', 'memory', 'network']);
    expect(names({ machine: bare, on: new Set(['no-new-privileges', 'memory', 'network']) })).toEqual([]);
    expect(names({ on: new Set(['no-new-privileges', 'user', 'memory', 'network']) })).toEqual([]);
  });

  it('are sentences, on or off', () => {
    for (const on of [
      new Set<TriedLayer>(),
      new Set<TriedLayer>(['no-new-privileges', 'user', 'memory', 'network', 'bwrap']),
    ]) {
      for (const one of [machine, bare]) {
        for (const { meaning } of describeLayers({
          machine: one,
          on,
          wantsBubblewrap: false,
          mayLeaveFirstPlace: true,
        })) {
          expect(meaning).toMatch(/^[A-Z].*[.)]$/);
        }
      }
    }
  });

  it('say how to get bubblewrap', () => {
    expect(missingBubblewrap(bare, 'it is not installed')).toMatch(/jail: bwrap.*it is not installed.*apt-get install/);
  });
});

describe('what a cell takes', () => {
  it('ends it when it is far over what its modules may have, and stays there', () => {
    const memory = new CellMemory();
    memory.started(1, 64);
    const looks = (megabytes: number, count: number): (string | undefined)[] =>
      Array.from({ length: count }, () => memory.look(megabytes, 1e6));
    expect(looks(1_200, 4)).toEqual(Array(4).fill(undefined));
    expect(looks(900, 1)).toEqual([undefined]);
    expect(looks(1_200, 5).at(-1)).toBe('has 1200 MB, where its modules may have 376 MB');
  });

  it('ends it at once when it takes the machine, unless its modules may have that', () => {
    const memory = new CellMemory();
    expect(memory.look(800, 1_000)).toContain('has 800 MB');
    memory.started(1, 1_000);
    expect(memory.look(800, 1_000)).toBeUndefined();
    memory.ended(1);
    expect(memory.look(800, 1_000)).toContain('has 800 MB');
  });

  it('is read of the innermost process, and of the outermost while there is no other', () => {
    expect(innermost(process.pid, 0)).toBe(process.pid);
    expect(innermost(2 ** 30, 2)).toBe(2 ** 30);
  });
});
