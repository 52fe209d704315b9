/** Bubblewrap's part: a root of its own that has Node, its libraries, the cell files and nothing else, all read-only. */
import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Machine } from './machine.ts';

export interface BubblewrapPlace {
  readonly program: string;
  /** As it is called inside, and where it is outside. */
  readonly node: string;
  readonly outsideNode: string;
  /** The same inside as outside. */
  readonly files: readonly string[];
}

/** What the cell files are called inside: where they lie on the host is nobody's business. */
export const INSIDE_FOLDER = '/cell';
export const INSIDE_KEPT = '/kept';
const INSIDE_NODE = '/node';

const LIST_MS = 5_000;

/** @returns undefined when bubblewrap is not installed */
export async function bubblewrapPlace({ tools, node, isRoot }: Machine): Promise<BubblewrapPlace | undefined> {
  if (tools.bwrap === undefined) return undefined;
  const programs = [node, ...(isRoot && tools.setpriv !== undefined ? [tools.setpriv] : [])];
  const libraries = await Promise.all(programs.map(librariesOf));
  return {
    program: tools.bwrap,
    node: INSIDE_NODE,
    outsideNode: node,
    files: [...new Set([...programs.slice(1), ...libraries.flat()])],
  };
}

/** Its arguments, for a descriptor: on the command line every process inside could read them, with the host's paths. */
export function bubblewrapInput(
  { outsideNode, files }: BubblewrapPlace,
  { folder, keeps }: { readonly folder?: string; readonly keeps?: { readonly folder: string } },
  who: { readonly isRoot: boolean; readonly changesUser: boolean },
): string {
  const words = [
    ...['--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    // Root needs no namespace of users.
    ...(who.isRoot ? ['--cap-drop', 'ALL'] : ['--unshare-user']),
    // What it takes to become another user inside, and to give up the rest after that.
    ...(who.changesUser ? ['SETUID', 'SETGID', 'SETPCAP'].flatMap((name) => ['--cap-add', `CAP_${name}`]) : []),
    ...['--hostname', 'cell', '--die-with-parent', '--new-session'],
    ...['--proc', '/proc'],
    // Their folders first: bubblewrap would make them for its own user only.
    ...foldersOf(files).flatMap((path) => ['--dir', path]),
    ...files.flatMap((path) => ['--ro-bind', path, path]),
    ...['--ro-bind', outsideNode, INSIDE_NODE],
    ...['--ro-bind-try', '/etc/ld.so.cache', '/etc/ld.so.cache'],
    ...timeZone(),
    ...(folder === undefined ? [] : ['--ro-bind', folder, INSIDE_FOLDER, '--chdir', `${INSIDE_FOLDER}/empty`]),
    // The only folder that can be written to.
    ...(keeps === undefined ? [] : ['--bind', keeps.folder, INSIDE_KEPT]),
    ...['--remount-ro', '/'],
  ];
  return words.map((word) => `${word}\0`).join('');
}

function foldersOf(files: readonly string[]): string[] {
  const folders = new Set(['/etc']);
  for (const file of files) for (let path = dirname(file); path !== '/'; path = dirname(path)) folders.add(path);
  return [...folders].sort();
}

/** Node reads the name of the time zone out of the link, and has the zones itself. */
function timeZone(): string[] {
  try {
    return ['--symlink', readlinkSync('/etc/localtime'), '/etc/localtime'];
  } catch {
    return [];
  }
}

/** Every library that the loader takes for a program, and the loader; none for a program that needs none. */
async function librariesOf(program: string): Promise<string[]> {
  const loader = /\s(\/\S*\/ld-(?:linux|musl)\S*)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1];
  if (loader === undefined) return [];
  const run = promisify(execFile)(loader, ['--list', program], { env: {}, timeout: LIST_MS });
  const { stdout } = await run.catch(() => ({ stdout: '' }));
  return [...stdout.matchAll(/(?:=>|^)\s+(\/[^\s]+)/gm)].flatMap(([, path]) => path ?? []);
}
