/** What each layer means, in words for an operator. */
import { keepsBounds, type TriedLayer } from './chain.ts';
import type { Machine } from './machine.ts';

export interface JailLayer {
  /** `permissions`, `environment`, or one of those that are tried. */
  readonly name: 'permissions' | 'environment' | TriedLayer;
  readonly on: boolean;
  /** Off, although the settings ask for it: a host says so when it starts. */
  readonly lacking: boolean;
  /** One sentence for an operator: what this stops when it is on, and what stays open, and how to get it, when it is off. */
  readonly meaning: string;
}

interface Found {
  readonly machine: Machine;
  readonly on: ReadonlySet<TriedLayer>;
  readonly wantsBubblewrap: boolean;
  /** A cell can take itself from the place of those that the kernel ends first. */
  readonly mayLeaveFirstPlace: boolean;
}

export function describeLayers(found: Found): JailLayer[] {
  return [
    {
      name: 'permissions',
      on: true,
      lacking: false,
      meaning:
        'Node itself refuses the thread of a module files other than its own programs, the network, children, threads and native code.',
    },
    {
      name: 'environment',
      on: true,
      lacking: false,
      meaning: 'A cell has no environment, an empty working directory, and one socket to the host.',
    },
    ...(Object.keys(WORDS) as TriedLayer[]).map((name): JailLayer => {
      const on = found.on.has(name);
      const isWanted = name === 'bwrap' ? found.wantsBubblewrap : name !== 'user' || found.machine.isRoot;
      return { name, on, lacking: !on && isWanted, meaning: on ? WORDS[name].on(found) : WORDS[name].off(found) };
    }),
  ];
}

/** Why bubblewrap does not hold here, and what to do about it. */
export function missingBubblewrap({ isRoot }: Pick<Machine, 'isRoot'>, reason: string): string {
  const said = reason === '' ? 'it did not hold what it should' : reason;
  const remedy = isRoot
    ? 'in a container, it needs the capability SYS_ADMIN'
    : 'namespaces of users have to be allowed (sysctl kernel.unprivileged_userns_clone=1, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0)';
  return `The setting "jail: bwrap" insists on bubblewrap, which does not work here: ${said}. Install it (apt-get install bubblewrap); ${remedy}; or set "jail: auto".`;
}

const UTIL_LINUX = 'It takes the tools of util-linux (apt-get install util-linux) on Linux.';

const WORDS: Readonly<Record<TriedLayer, { on(found: Found): string; off(found: Found): string }>> = {
  'no-new-privileges': {
    on: ({ machine, on }) => {
      const rights = keepsBounds({ machine, layers: on })
        ? 'A cell can gain no rights by any program; it keeps what root may do in this container'
        : 'A cell has no capabilities, and can gain no rights by any program';
      return `${rights}. It ends with the host; ${ends(on)}.`;
    },
    off: () => `Code that left its thread could use programs that lend rights, such as sudo. ${UTIL_LINUX}`,
  },
  user: {
    on: () =>
      'Each cell is a user of its own in no group: it can signal and trace neither the host nor other cells, and reads nothing of theirs.',
    off: ({ machine: { users, tools }, on }) => {
      const why = typeof users === 'string' ? users : tools.setpriv === undefined ? UTIL_LINUX : 'it did not work here';
      const open = on.has('bwrap')
        ? 'Cells are the same user as the host, whose processes and files bubblewrap hides from them'
        : 'Cells are the same user as the host: code that left its realm can end the host and other cells, and code that left its thread reads, changes and ends whatever that user may; "jail: bwrap" stops that';
      return `${open}: ${why}.`;
    },
  },
  memory: {
    on: ({ machine: { ceilings }, on, mayLeaveFirstPlace }) => {
      const most = `${ceilings.descriptors} descriptors${on.has('user') ? ` and ${ceilings.threads} threads` : ''}`;
      const place = mayLeaveFirstPlace ? ', and the host ends one that gives that place up' : '';
      return `A process of a cell is refused more than ${Math.round(ceilings.dataBytes / 1024 ** 3)} GB, adds to no file, leaves no core, has at most ${most}; when memory is short the kernel ends cells first${place}.`;
    },
    off: () => `Only the host's own look at what a cell uses ends one that takes too much. ${UTIL_LINUX}`,
  },
  network: {
    on: ({ on }) => {
      const open = on.has('bwrap')
        ? '.'
        : `; sockets in folders of this machine that are open to ${on.has('user') ? 'everybody' : "the host's user"} it can reach, which "jail: bwrap" stops.`;
      return `A cell has a network of its own that leads nowhere, also for code that left its thread${open}`;
    },
    off: ({ machine }) =>
      machine.isRoot && !machine.mayMakeNamespaces
        ? 'Only Node keeps a cell from the network: the host lacks the capability SYS_ADMIN, which it takes to make one of its own.'
        : `Only Node keeps a cell from the network. ${UTIL_LINUX} Namespaces of users have to be allowed.`,
  },
  bwrap: {
    on: () =>
      'A cell sees no process but its own and no file but Node, its libraries and the cell programs, and can write to none.',
    off: () =>
      'Code that left its thread sees which processes run here, and has the files, folders and sockets that are open to everybody; "jail: bwrap" stops that (Linux, apt-get install bubblewrap).',
  },
};

/** Programs are started by code that left its thread only. */
function ends(on: ReadonlySet<TriedLayer>): string {
  if (on.has('bwrap')) return 'so does all that code in it has started';
  if (on.has('user')) return 'what code in it has started ends with the cell, but outlives a host that is killed';
  return 'what code in it has started can outlive both, which "jail: bwrap" stops';
}
