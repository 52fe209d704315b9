/** Starts a jailed process for real, lets it say what the kernel says of it, and sees whether it can be killed. */
import type { ChildProcess } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type CellProcess, CellStartError, startProcess } from '../spawn-process.ts';
import { keepsBounds, limitsOf, type Setup, type TriedLayer } from './chain.ts';

/** Arguments of Node for such a process. */
export const TRIAL_ARGUMENTS: readonly string[] = ['--no-warnings', '-e', sayWhatIsSeen()];

/** What a process in the jail sees. */
export interface Sight {
  readonly status: string;
  readonly limits: string;
  readonly killedFirst: string;
  /** It took itself from the place of those that are ended first, when it tried. */
  readonly mayLeaveFirstPlace: boolean;
  readonly network: string;
  readonly processes: string;
  readonly root: readonly string[];
}

export interface Trial {
  readonly sight?: Sight;
  /** When there is no sight: what it said instead. */
  readonly failure?: string;
}

const CAPABILITY_SETS = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'];
const TRIAL_MS = 5_000;
const KILL_MS = 2_000;
/** What it printed may come after its end. */
const LAST_WORDS_MS = 500;
const MAX_FAILURE_CHARACTERS = 400;

export async function tryOut(process: CellProcess): Promise<Trial> {
  let child: ChildProcess;
  try {
    child = startProcess(process);
  } catch (error) {
    if (error instanceof CellStartError) return { failure: error.message };
    throw error;
  }
  const socket = child.stdio[3] as Socket;
  let failure = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    failure = (failure + text).slice(0, MAX_FAILURE_CHARACTERS);
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const ended = new Promise<void>((resolve) => {
    // Also when it may not be killed, which can be more than once.
    child.on('error', (error) => {
      failure = error.message;
      resolve();
    });
    child.once('exit', () => resolve());
  });
  const said = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const line = await Promise.race([readLine(socket), ended, after(TRIAL_MS)]);
    if (typeof line !== 'string') {
      await Promise.race([said, after(LAST_WORDS_MS)]);
      return { failure: failure.trim() || 'it did not start' };
    }
    if (!child.kill('SIGKILL')) return { failure: 'it could not be killed' };
    // Its end of the socket is gone only with the last of its processes.
    const isDead = await Promise.race([closed.then(() => true), after(KILL_MS)]);
    return isDead === true ? { sight: JSON.parse(line) as Sight } : { failure: 'it could not be killed' };
  } finally {
    child.kill('SIGKILL');
    // One that cannot be killed leaves when its socket is closed.
    child.unref();
    socket.destroy();
  }
}

/** Whether a layer is there, by what the kernel says. */
export function isSeen(layer: TriedLayer, sight: Sight, setup: Setup, user: number | undefined): boolean {
  const status = (name: string): string =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(sight.status)?.[1]?.trim() ?? '';
  switch (layer) {
    case 'no-new-privileges':
      return (
        status('NoNewPrivs') === '1' && (keepsBounds(setup) || CAPABILITY_SETS.every((set) => /^0+$/.test(status(set))))
      );
    case 'user':
      return ['Uid', 'Gid'].every((id) => status(id) === Array(4).fill(user).join('\t')) && status('Groups') === '';
    case 'memory':
      return (
        Object.entries(limitsOf(setup)).every(([name, limit]) => hasLimit(sight.limits, name, limit)) &&
        sight.killedFirst === '1000'
      );
    case 'network':
      return sight.network !== '' && sight.network !== namespaceHere('net');
    case 'bwrap':
      return (
        sight.processes !== '' &&
        sight.processes !== namespaceHere('pid') &&
        !sight.root.some((name) => /^(home|root|tmp|var)$/.test(name))
      );
  }
}

/** Soft and hard, as the kernel lists them. */
function hasLimit(limits: string, name: string, limit: number): boolean {
  return new RegExp(`^${name}\\s+${limit}\\s+${limit}\\s`, 'm').test(limits);
}

function sayWhatIsSeen(): string {
  return `
    const fs = require('node:fs');
    const { Socket } = require('node:net');
    const read = (name) => { try { return fs.readFileSync('/proc/self/' + name, 'utf8').trim(); } catch { return ''; } };
    const namespace = (name) => { try { return fs.readlinkSync('/proc/self/ns/' + name); } catch { return ''; } };
    const killedFirst = read('oom_score_adj');
    try { fs.writeFileSync('/proc/self/oom_score_adj', '0'); } catch {}
    const socket = new Socket({ fd: 3, readable: true, writable: true });
    socket.resume().on('error', () => {});
    socket.write(JSON.stringify({
      status: read('status'), limits: read('limits'), killedFirst,
      mayLeaveFirstPlace: read('oom_score_adj') !== killedFirst,
      network: namespace('net'), processes: namespace('pid'), root: fs.readdirSync('/'),
    }) + '\\n');`;
}

function readLine(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (data: string) => {
      text += data;
      if (text.endsWith('\n')) resolve(text);
    });
    socket.once('error', () => resolve(undefined));
  });
}

function namespaceHere(name: 'net' | 'pid'): string {
  return readlinkSync(`/proc/self/ns/${name}`);
}

function after(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, undefined).unref());
}
