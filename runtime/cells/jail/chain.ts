/**
 * The command line of a jailed process: each step sets one thing and replaces itself by the next, so that the process
 * that the host started is the cell. (Only bubblewrap stays: it is the parent of what it holds, and takes it along.)
 */

import type { CellProcess } from '../spawn-process.ts';
import { type BubblewrapPlace, bubblewrapInput } from './bwrap.ts';
import type { Machine } from './machine.ts';

/** What is more than Node's own permissions and an empty environment. */
export const TRIED_LAYERS = ['no-new-privileges', 'user', 'memory', 'network', 'bwrap'] as const;
export type TriedLayer = (typeof TRIED_LAYERS)[number];

export interface Setup {
  readonly machine: Machine;
  readonly layers: ReadonlySet<TriedLayer>;
  /** With the layer `bwrap`. */
  readonly place?: BubblewrapPlace;
}

export interface Run {
  readonly args: readonly string[];
  readonly cwd: string;
  /** With the layer `user`. */
  readonly user?: number;
  /** With the layer `bwrap`: the only folder of the host's that is in there. */
  readonly folder?: string;
  readonly keeps?: KeptFiles;
}

/** A process that keeps files: it stays the host's user, since the folder is closed to all others. */
export interface KeptFiles {
  readonly folder: string;
  /** In place of the ceiling that is for a process with threads. */
  readonly dataBytes: number;
}

/** The kernel takes whoever has most of this first. */
const FIRST_TO_GO = '1000';

export function chain(given: Setup, run: Run): CellProcess {
  const setup = run.keeps === undefined ? given : withoutUser(given);
  const { layers, machine } = setup;
  const inBubblewrap = layers.has('bwrap') && setup.place !== undefined;
  const node = inBubblewrap ? setup.place.node : machine.node;
  const [file = node, ...args] = [
    ...ceilings(setup, run.keeps),
    ...(inBubblewrap ? [setup.place.program, '--args', '4', '--'] : namespaces(setup)),
    ...privileges(setup, run.user),
    node,
    ...run.args,
  ];
  if (!inBubblewrap) return { file, args, cwd: run.cwd };
  const who = { isRoot: machine.isRoot, changesUser: layers.has('user') };
  return { file, args, cwd: '/', input: bubblewrapInput(setup.place, run, who) };
}

function withoutUser(setup: Setup): Setup {
  return { ...setup, layers: new Set([...setup.layers].filter((layer) => layer !== 'user')) };
}

/** What prlimit calls the limits that the kernel lists in /proc/self/limits. */
const OPTIONS: Readonly<Record<string, string>> = {
  'Max data size': 'data',
  'Max open files': 'nofile',
  'Max core file size': 'core',
  'Max file size': 'fsize',
  'Max locked memory': 'memlock',
  'Max msgqueue size': 'msgqueue',
  'Max processes': 'nproc',
};

/** With the layer `memory`, by the kernel's own names. */
export function limitsOf(
  { layers, machine: { ceilings } }: Pick<Setup, 'layers' | 'machine'>,
  keeps?: KeptFiles,
): Record<string, number> {
  return {
    'Max data size': Math.min(ceilings.dataBytes, keeps?.dataBytes ?? Infinity),
    'Max open files': ceilings.descriptors,
    'Max core file size': 0,
    // A file that it could write to cannot grow; pipes and sockets are no files.
    ...(keeps === undefined ? { 'Max file size': 0 } : {}),
    'Max locked memory': 0,
    'Max msgqueue size': 0,
    // The kernel counts these for each user: for one that the host shares they would be the host's.
    ...(layers.has('user') ? { 'Max processes': ceilings.threads } : {}),
  };
}

/** Root that stays root, and may not shrink what root may have, has as much again after each step. */
export function keepsBounds({ layers, machine }: Pick<Setup, 'layers' | 'machine'>): boolean {
  return machine.isRoot && !machine.mayShrinkBounds && !layers.has('user') && !layers.has('bwrap');
}

function ceilings(setup: Setup, keeps: KeptFiles | undefined): string[] {
  const { layers, machine } = setup;
  const { prlimit, choom } = machine.tools;
  if (!layers.has('memory') || prlimit === undefined || choom === undefined) return [];
  const limits = limitsOf(setup, keeps);
  const words = Object.entries(OPTIONS).flatMap(([name, option]) =>
    limits[name] === undefined ? [] : [`--${option}=${limits[name]}`],
  );
  return [choom, '-n', FIRST_TO_GO, '--', prlimit, ...words, '--'];
}

function namespaces({ layers, machine }: Setup): string[] {
  if (!layers.has('network') || machine.tools.unshare === undefined) return [];
  // Who may not make a namespace may make one of users, in which it may.
  const asUser = machine.mayMakeNamespaces ? [] : ['--user', '--map-current-user'];
  return [machine.tools.unshare, ...asUser, '--net', '--ipc', '--'];
}

function privileges({ layers, machine }: Setup, user: number | undefined): string[] {
  // Bubblewrap does all of it but another user.
  const isWanted = layers.has('bwrap') ? layers.has('user') : layers.has('no-new-privileges') || layers.has('user');
  if (!isWanted || machine.tools.setpriv === undefined) return [];
  return [
    machine.tools.setpriv,
    ...(layers.has('user') && user !== undefined ? [`--reuid=${user}`, `--regid=${user}`, '--clear-groups'] : []),
    '--no-new-privs',
    '--inh-caps=-all',
    '--ambient-caps=-all',
    ...(machine.isRoot && machine.mayShrinkBounds ? ['--bounding-set=-all'] : []),
    // Whatever it is doing: nobody is left who would end it.
    ...['--pdeathsig', 'KILL', '--'],
  ];
}
