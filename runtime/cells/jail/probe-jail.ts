/** What holds a cell besides Node's own permissions: which user it is, what it may never gain, how much it may take. */
import { type CellFiles, cellFilesIn } from '../build.ts';
import type { CellProcess } from '../spawn-process.ts';
import { bubblewrapPlace, INSIDE_FOLDER, INSIDE_KEPT } from './bwrap.ts';
import { chain, type KeptFiles, type Setup, TRIED_LAYERS, type TriedLayer } from './chain.ts';
import { endUser } from './end-user.ts';
import { describeLayers, type JailLayer, missingBubblewrap } from './layers.ts';
import { lookAtMachine, type Machine } from './machine.ts';
import { shareCellFiles } from './place.ts';
import { isSeen, TRIAL_ARGUMENTS, type Trial, tryOut } from './trial.ts';
import { type CellUsers, createCellUsers } from './users.ts';

export type { JailLayer } from './layers.ts';

export interface JailOptions {
  readonly jail: 'auto' | 'bwrap';
}

export interface Jail {
  readonly layers: readonly JailLayer[];
  /** Makes the cell files readable for whoever cells are, until it is closed. */
  open(files: CellFiles): Promise<OpenJail>;
}

export interface OpenJail {
  /** The cell files as cells find them. */
  readonly files: CellFiles;
  /** The process that runs Node with these arguments inside. Each may be another user: say when it is gone. */
  enter(args: readonly string[]): JailedProcess;
  /** The same for a process that keeps files in a folder of the host's. @param args given the folder as it is called inside */
  enterKeeping(keeps: KeptFiles, args: (folder: string) => readonly string[]): JailedProcess;
  /** When no cell is left. */
  close(): Promise<void>;
}

export interface JailedProcess extends CellProcess {
  /** How many processes that are not the cell stand between the host and the cell. */
  readonly depth: number;
  /** Who it is, if that is nobody else. */
  readonly user: number | undefined;
  /** It was put in the first place of those that the kernel ends when memory is short. */
  readonly goesFirst: boolean;
  /** Ends what else its user runs. */
  leave(): void;
}

/** The jail that the settings insist on does not work here. */
export class JailError extends Error {
  override readonly name = 'JailError';
}

const BUBBLEWRAP_DEPTH = 2;

const probed = new Map<JailOptions['jail'], Promise<Jail>>();

/**
 * Tries each layer once for real on this machine; starts no host and leaves nothing behind. The answer is kept: users
 * of cells are taken from one place by all hosts of a process.
 * @throws JailError when `bwrap` is asked for and does not work here
 */
export function probeJail({ jail }: JailOptions): Promise<Jail> {
  const known = probed.get(jail);
  if (known !== undefined) return known;
  const probing = probe(jail === 'bwrap');
  probed.set(jail, probing);
  probing.catch(() => probed.delete(jail));
  return probing;
}

async function probe(wantsBubblewrap: boolean): Promise<Jail> {
  const machine = lookAtMachine();
  const users = typeof machine.users === 'string' ? undefined : createCellUsers(machine.users.range);
  const { setup, mayLeaveFirstPlace } = await findSetup(machine, users, wantsBubblewrap);
  return {
    layers: describeLayers({ machine, on: setup.layers, wantsBubblewrap, mayLeaveFirstPlace }),
    open: (files) => openJail(setup, users, files),
  };
}

async function openJail(setup: Setup, users: CellUsers | undefined, files: CellFiles): Promise<OpenJail> {
  const { machine, layers } = setup;
  const shared =
    layers.has('user') && typeof machine.users !== 'string'
      ? await shareCellFiles(files, machine.users.folder)
      : undefined;
  const outside = shared?.files ?? files;
  const isInBubblewrap = layers.has('bwrap');
  return {
    files: isInBubblewrap ? cellFilesIn(INSIDE_FOLDER, files.kernelHash) : outside,
    enter(args) {
      const user = layers.has('user') ? users?.take() : undefined;
      const run = { args, cwd: outside.emptyFolder, folder: outside.folder, ...(user === undefined ? {} : { user }) };
      return {
        ...chain(setup, run),
        depth: isInBubblewrap ? BUBBLEWRAP_DEPTH : 0,
        user,
        goesFirst: layers.has('memory'),
        leave() {
          if (user !== undefined) endUser(user, () => users?.free(user));
        },
      };
    },
    enterKeeping: (keeps, args) => ({
      ...chain(setup, {
        args: args(isInBubblewrap ? INSIDE_KEPT : keeps.folder),
        cwd: outside.emptyFolder,
        folder: outside.folder,
        keeps,
      }),
      depth: isInBubblewrap ? BUBBLEWRAP_DEPTH : 0,
      user: undefined,
      goesFirst: layers.has('memory'),
      leave: () => {},
    }),
    close: async () => shared?.remove(),
  };
}

interface Found {
  readonly setup: Setup;
  readonly mayLeaveFirstPlace: boolean;
}

/** All at once, which is what most machines have; only where that fails it is found out which one it was. */
async function findSetup(machine: Machine, users: CellUsers | undefined, wantsBubblewrap: boolean): Promise<Found> {
  const bare: Setup = { machine, layers: new Set() };
  if (process.platform !== 'linux') {
    if (wantsBubblewrap) throw new JailError(missingBubblewrap(machine, 'it is a program for Linux'));
    return { setup: bare, mayLeaveFirstPlace: false };
  }
  const place = wantsBubblewrap ? await bubblewrapPlace(machine) : undefined;
  if (wantsBubblewrap && place === undefined) throw new JailError(missingBubblewrap(machine, 'it is not installed'));
  const base: Setup = { machine, layers: new Set(), ...(place === undefined ? {} : { place }) };
  const wanted = TRIED_LAYERS.filter((layer) => isPossible(layer, base, users));
  const all = await findSeen(base, users, wanted);
  if (all.seen.size === wanted.length) return found(base, all);

  const always: TriedLayer[] = place === undefined ? [] : ['bwrap'];
  const trials = await Promise.all(wanted.map((layer) => findSeen(base, users, [...new Set([...always, layer])])));
  if (place !== undefined) {
    const alone = trials[wanted.indexOf('bwrap')];
    if (alone?.seen.has('bwrap') !== true) throw new JailError(missingBubblewrap(machine, alone?.failure ?? ''));
  }
  const held = wanted.filter((layer, index) => trials[index]?.seen.has(layer));
  const together = await findSeen(base, users, held);
  return found(base, together.seen.size === held.length ? together : { ...together, seen: new Set(always) });
}

function found(base: Setup, { seen, mayLeaveFirstPlace }: Seen): Found {
  return { setup: { ...base, layers: seen }, mayLeaveFirstPlace };
}

function isPossible(layer: TriedLayer, { machine, place }: Setup, users: CellUsers | undefined): boolean {
  const { tools } = machine;
  switch (layer) {
    case 'no-new-privileges':
      return place !== undefined || tools.setpriv !== undefined;
    case 'user':
      return users !== undefined && tools.setpriv !== undefined;
    case 'memory':
      return tools.prlimit !== undefined && tools.choom !== undefined;
    case 'network':
      // In a namespace of users there is no other user to become.
      return place !== undefined || (tools.unshare !== undefined && (machine.mayMakeNamespaces || !machine.isRoot));
    case 'bwrap':
      return place !== undefined;
  }
}

interface Seen {
  readonly seen: ReadonlySet<TriedLayer>;
  readonly failure: string | undefined;
  readonly mayLeaveFirstPlace: boolean;
}

async function findSeen(base: Setup, users: CellUsers | undefined, layers: readonly TriedLayer[]): Promise<Seen> {
  const setup: Setup = { ...base, layers: new Set(layers) };
  const user = layers.includes('user') ? users?.take() : undefined;
  const run = { args: TRIAL_ARGUMENTS, cwd: '/', ...(user === undefined ? {} : { user }) };
  const { sight, failure }: Trial = await tryOut(chain(setup, run));
  if (user !== undefined) users?.free(user);
  if (sight === undefined) return { seen: new Set(), failure, mayLeaveFirstPlace: false };
  const seen = new Set(layers.filter((layer) => isSeen(layer, sight, setup, user)));
  return { seen, failure, mayLeaveFirstPlace: sight.mayLeaveFirstPlace };
}
