/** What this machine has for a jail, and what the host may do here. Reads only. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { totalmem } from 'node:os';
import { publicFolder } from './place.ts';
import { reservedUsers, type UserRange } from './users.ts';

export interface Machine {
  /** Where each tool is; undefined: not installed. */
  readonly tools: Readonly<Record<Tool, string | undefined>>;
  readonly node: string;
  readonly isRoot: boolean;
  readonly mayMakeNamespaces: boolean;
  readonly mayShrinkBounds: boolean;
  /** Why cells cannot be other users, in words that end a sentence; or what they can be. */
  readonly users: { readonly range: UserRange; readonly folder: string } | string;
  readonly ceilings: Ceilings;
}

/** In the unit of the kernel: bytes and numbers. */
export interface Ceilings {
  readonly dataBytes: number;
  readonly descriptors: number;
  readonly threads: number;
}

export type Tool = 'setpriv' | 'prlimit' | 'choom' | 'unshare' | 'bwrap';

/** Not PATH: what runs as root here must not depend on who started it. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/run/current-system/sw/bin'];

const CAPABILITY = { SETGID: 6, SETUID: 7, SETPCAP: 8, SYS_ADMIN: 21 } as const;

/**
 * V8 reserves far more than it uses, and the kernel counts what is reserved: some 600 MB for a process and 75 MB for
 * each thread. So this is room for two hundred threads, over what a machine has.
 */
const RESERVED_BYTES = 16 * 1024 ** 3;
/** A thread of a module has five. */
const MAX_DESCRIPTORS = 8_192;
const MAX_THREADS = 1_024;

export function lookAtMachine(): Machine {
  const status = readOr('/proc/self/status', '');
  const limits = readOr('/proc/self/limits', '');
  const isRoot = process.getuid?.() === 0;
  return {
    tools: {
      setpriv: find('setpriv'),
      prlimit: find('prlimit'),
      choom: find('choom'),
      unshare: find('unshare'),
      bwrap: find('bwrap'),
    },
    node: realpathSync(process.execPath),
    isRoot,
    mayMakeNamespaces: has(status, 'SYS_ADMIN'),
    mayShrinkBounds: has(status, 'SETPCAP'),
    users: usersHere(isRoot, status),
    ceilings: {
      dataBytes: Math.min(memoryBytes() + RESERVED_BYTES, hardLimit(limits, 'data size')),
      descriptors: Math.min(MAX_DESCRIPTORS, hardLimit(limits, 'open files')),
      threads: Math.min(MAX_THREADS, hardLimit(limits, 'processes')),
    },
  };
}

function usersHere(isRoot: boolean, status: string): Machine['users'] {
  if (!isRoot) return 'only a host that is started as root can give its cells other users';
  if (!has(status, 'SETUID') || !has(status, 'SETGID')) return 'the host lacks the capabilities SETUID and SETGID';
  const range = reservedUsers([readOr('/proc/self/uid_map', ''), readOr('/proc/self/gid_map', '')]);
  if (range === undefined) return 'this container has no user ids to spare';
  const folder = publicFolder();
  if (folder === undefined) return 'no folder was found that other users can read (/run, /dev/shm, /var/tmp)';
  return { range, folder };
}

function has(status: string, name: keyof typeof CAPABILITY): boolean {
  const effective = BigInt(`0x${/CapEff:\s+([0-9a-f]+)/.exec(status)?.[1] ?? '0'}`);
  return ((effective >> BigInt(CAPABILITY[name])) & 1n) === 1n;
}

/** Of this machine, or of the container on it. */
export function memoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

function hardLimit(limits: string, name: string): number {
  const found = new RegExp(`Max ${name}\\s+\\S+\\s+(\\d+)`).exec(limits)?.[1];
  return found === undefined ? Number.POSITIVE_INFINITY : Number(found);
}

function find(tool: Tool): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${tool}`).find((path) => existsSync(path));
}

function readOr(path: string, other: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return other;
  }
}
