/** Starts the process of a cell: what it inherits from the host is decided here, and nowhere else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';

/** A command line whose every step replaces itself by the next, so that the process that is started becomes the cell. */
export interface CellProcess {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** What its descriptor 4 gives to read, for a step that takes its arguments from there. */
  readonly input?: string;
}

/** The machine has no room for another process or its pipes: nobody in the cell is to blame. */
export class CellStartError extends Error {
  override readonly name = 'CellStartError';
}

type Stdio = 'ignore' | 'pipe' | number;

const INPUT = 4;
/** O_CLOEXEC, as the kernel prints it. */
const CLOSE_ON_EXEC = 0o2000000;
/** To cover one beyond this takes a table of that size in each cell: the host closes such for itself as well. */
const MAX_COVERED = 4_096;

/** @throws CellStartError */
export function startProcess({ file, args, cwd, input }: CellProcess): ChildProcess {
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      // Boundary: nothing of the host's environment, files or descriptors enters a cell; fd 3 is its only way out.
      env: {},
      cwd,
      stdio: descriptors(input === undefined ? [] : ['pipe']),
      // A process group of its own: Ctrl-C at the terminal is for the host, which drains its cells first.
      detached: true,
    });
  } catch (error) {
    throw new CellStartError(`A cell could not be started: ${(error as NodeJS.ErrnoException).code}.`, {
      cause: error,
    });
  }
  const feed = (child.stdio as (Writable | null | undefined)[] | undefined)?.[INPUT];
  if (child.pid !== undefined && child.stdio[3] != null && (input === undefined || feed != null)) {
    // Who does not read it has ended, and says so by its exit.
    feed?.on('error', () => {}).end(input);
    return child;
  }
  // Node tells of some refusals (no descriptors, no processes) in a later turn, by an event that has to be heard.
  child.once('error', () => {});
  child.kill('SIGKILL');
  for (const stream of child.stdio ?? []) stream?.destroy();
  throw new CellStartError('A cell could not be started: the machine has no room for another process or its pipes.');
}

/** Ends a process, and what it started unless that has left for a group of its own. */
export function endGroup(child: ChildProcess): void {
  try {
    // It leads its group, whose number nobody else gets while somebody is in it.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is in it any more, or there are no groups on this system.
  }
  child.kill('SIGKILL');
}

/**
 * Boundary: descriptors that whoever started the host forgot to close would be open in every cell. Node cannot close
 * them for a child, but it can lay the empty device over them.
 */
function descriptors(extra: readonly 'pipe'[]): Stdio[] {
  const stdio: Stdio[] = ['ignore', 'ignore', 'pipe', 'pipe', ...extra];
  const { numbers, empty } = leftOpen();
  for (const number of numbers) {
    while (stdio.length < number) stdio.push('ignore');
    if (stdio.length === number) stdio.push(empty);
  }
  return stdio;
}

interface LeftOpen {
  /** Ascending. */
  readonly numbers: readonly number[];
  readonly empty: number;
}

let known: LeftOpen | undefined;

/** Node itself opens nothing that a child would inherit, so one look is enough. */
function leftOpen(): LeftOpen {
  if (known !== undefined) return known;
  const found = listDescriptors().filter((number) => number > 3 && isInherited(number));
  for (const number of found) if (number >= MAX_COVERED) closeSync(number);
  const numbers = found.filter((number) => number < MAX_COVERED).sort((a, b) => a - b);
  known = { numbers, empty: numbers.length === 0 ? -1 : openSync('/dev/null', 'r') };
  return known;
}

function listDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fdinfo').map(Number);
  } catch {
    // Not Linux: what is left open there stays open.
    return [];
  }
}

function isInherited(number: number): boolean {
  try {
    const flags = /flags:\s+([0-7]+)/.exec(readFileSync(`/proc/self/fdinfo/${number}`, 'utf8'))?.[1] ?? '';
    return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // Closed since it was listed.
    return false;
  }
}
