/** Runs hosts whose cells are attackers (test/fixtures/jail), as root or as somebody else. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Scenario } from '../fixtures/jail/host.ts';
import { tempFolder } from './temp-folder.ts';

export interface Attacks {
  /** From the main thread of a cell. */
  readonly main: Readonly<Record<string, string>>;
  /** From a thread like that of a module. */
  readonly thread: Readonly<Record<string, string>>;
  /** From a thread to which the main thread gave back what Node took. */
  readonly beyond: Readonly<Record<string, string>>;
  readonly neighbourLives: boolean;
}

const HOST = new URL('../fixtures/jail/host.ts', import.meta.url).pathname;
/** Of an attack that got what it was after. */
const DONE = 'DONE';
/** Where the host has a descriptor that whoever started it forgot: see the fixture. */
const LEFT_OPEN = 40;
const SECRET = 'the-secret-of-the-host';
const OTHER_USER = ['setpriv', '--reuid=64900', '--regid=64900', '--clear-groups', '--'];

const isRoot = process.getuid?.() === 0;

/** What to do when there is none. */
export const missingBubblewrap =
  spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', '--unshare-net', '--proc', '/proc', 'true']).status === 0
    ? undefined
    : 'There is no bubblewrap that works here; install it (apt-get install bubblewrap).';

/** Why a host cannot be started as somebody else here. */
export const missingOtherUser = !isRoot
  ? 'Only root can start a host as somebody else.'
  : spawnSync('setpriv', [...OTHER_USER.slice(1), process.execPath, '-e', `require('node:fs').readFileSync('${HOST}')`])
        .status === 0
    ? undefined
    : 'Other users cannot run Node or read this repository.';

/** @param asOther the host is not root */
export async function attack(scenario: Scenario, { asOther = false } = {}): Promise<Attacks> {
  const { host, said } = launch(scenario, asOther);
  await new Promise((resolve) => host.once('close', resolve));
  return JSON.parse(said()) as Attacks;
}

/** The attacks that got what they were after. */
export function done(results: Readonly<Record<string, string>>): string[] {
  return Object.keys(results).filter((name) => results[name] === DONE);
}

export interface HeldHost {
  readonly processId: number;
  /** Of its cells. */
  readonly cells: readonly number[];
}

/** A host that stays, with two cells. */
export async function hold(scenario: Scenario, { asOther = false } = {}): Promise<HeldHost> {
  const { host, said } = launch({ ...scenario, hold: true }, asOther);
  await new Promise<void>((resolve, reject) => {
    host.stdout.on('data', () => said().endsWith('\n') && resolve());
    host.once('exit', () => reject(new Error('The host ended.')));
  });
  return { processId: host.pid ?? 0, cells: JSON.parse(said()) as number[] };
}

function launch(scenario: Scenario, asOther: boolean) {
  const folder = tempFolder();
  // It is the host's place for what is temporary, whoever the host is.
  chmodSync(folder, 0o777);
  const secret = join(folder, 'secret');
  writeFileSync(secret, SECRET);
  const leftOpen = openSync(secret, 'r');
  const covered = Array<'ignore'>(LEFT_OPEN - 3).fill('ignore');
  const [file = '', ...args] = [...(asOther ? OTHER_USER : []), process.execPath, HOST, JSON.stringify(scenario)];
  const host = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'ignore', ...covered, leftOpen],
    env: { SECRET, TMPDIR: folder },
  });
  onTestFinished(() => void host.kill('SIGKILL'));
  closeSync(leftOpen);
  let text = '';
  const { stdout } = host;
  if (stdout === null) throw new Error('The host could not be started.');
  stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return { host: Object.assign(host, { stdout }), said: () => text };
}
