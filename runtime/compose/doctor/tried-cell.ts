/** What a jailed process of this machine cannot do: tried in one, from the cell and from a thread in it. */
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CellFiles } from '../../cells/build.ts';
import { Cell } from '../../cells/cell.ts';
import type { OpenJail } from '../../cells/jail/probe-jail.ts';
import { type Finding, failed, off, on } from './finding.ts';
import type { Attempts, InsideOrder, InsideReport } from './inside-cell-report.ts';

export interface Bait {
  /** Puts what is to be run inside beside the programs of cells. */
  lay(files: CellFiles): Promise<void>;
  /** Call when the jail is open over these files. */
  tryCell(files: CellFiles, jail: OpenJail): Promise<readonly Finding[]>;
  close(): void;
}

/** What the host itself has seen of the attempts. */
export interface Arrived {
  readonly connections: number;
  /** By code that has left its thread. */
  readonly beyond: number;
  readonly signals: number;
}

/** @param folder for a file that anybody may read, whom nothing holds, and one that is for the host's user */
export async function openBait(folder: string): Promise<Bait> {
  const arrived = { connections: 0, beyond: 0, signals: 0 };
  const onSignal = (): void => {
    arrived.signals += 1;
  };
  const [server, beyondServer] = await Promise.all([
    listen(() => {
      arrived.connections += 1;
    }),
    listen(() => {
      arrived.beyond += 1;
    }),
  ]);
  if (process.platform !== 'win32') process.on('SIGURG', onSignal);
  const order: InsideOrder = {
    file: await layFile(join(folder, 'open'), 0o777, 0o666),
    ownFile: await layFile(join(folder, 'own'), 0o700, 0o600),
    port: portOf(server),
    beyondPort: portOf(beyondServer),
    hostProcess: process.pid,
  };
  return {
    async lay({ folder: programs }) {
      await copyFile(fileURLToPath(new URL(`./${PROGRAM}`, import.meta.url)), join(programs, PROGRAM));
      await writeFile(join(programs, 'order.json'), JSON.stringify(order));
    },
    async tryCell(files, jail) {
      const report = await runInside(files, jail);
      return typeof report === 'string' ? [notStarted(report)] : judgeReport(report, arrived);
    },
    close() {
      process.off('SIGURG', onSignal);
      server.close();
      beyondServer.close();
    },
  };
}

const PROGRAM = 'inside-cell.ts';
const TRY_MS = 10_000;
/** What a process has printed may arrive after its end. */
const LAST_WORDS_MS = 500;

async function listen(onConnection: () => void): Promise<Server> {
  const server = createServer((socket) => {
    onConnection();
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function layFile(folder: string, folderMode: number, mode: number): Promise<string> {
  const file = join(folder, 'file');
  await mkdir(folder);
  await writeFile(file, 'A file of the doctor.');
  await chmod(folder, folderMode);
  await chmod(file, mode);
  return file;
}

/** The report, or what the process said instead. */
async function runInside(files: CellFiles, jail: OpenJail): Promise<InsideReport | string> {
  const told = Promise.withResolvers<InsideReport | string>();
  let said = '';
  const cell = new Cell({
    files,
    jail: { ...jail, files: { ...jail.files, program: join(jail.files.folder, PROGRAM) } },
    jit: 'safe',
    onNoise: (text) => {
      said += text;
      const report = parse(said);
      if (report !== undefined) told.resolve(report);
    },
    onClose: () => {
      setTimeout(() => told.resolve(said.trim().split('\n').slice(-3).join(' ') || 'no word'), LAST_WORDS_MS).unref();
    },
  });
  const timer = setTimeout(() => cell.kill(), TRY_MS);
  const report = await told.promise;
  clearTimeout(timer);
  cell.kill();
  await cell.closed;
  return report;
}

function parse(text: string): InsideReport | undefined {
  try {
    return JSON.parse(text) as InsideReport;
  } catch {
    return undefined;
  }
}

interface Wall {
  readonly name: string;
  readonly attempts: readonly (keyof Attempts)[];
  /** How Node itself refuses; any other failure may be luck. */
  readonly refusals: readonly string[];
  readonly holds: string;
  readonly open: string;
}

const DENIED = ['ERR_ACCESS_DENIED'];

const WALLS: readonly Wall[] = [
  {
    name: 'files',
    attempts: ['read', 'own', 'list', 'write'],
    refusals: DENIED,
    holds: "Code that left its realm reads no file but the runtime's own programs, and writes none.",
    open: 'Code that left its realm reads or writes files of this machine.',
  },
  {
    name: 'network',
    attempts: ['connect', 'listen'],
    refusals: DENIED,
    holds: 'It reaches no address, not even of this machine, and opens no port.',
    open: 'Code that left its realm reaches the network around every grant.',
  },
  {
    name: 'child processes',
    attempts: ['child'],
    refusals: DENIED,
    holds: 'It starts no program.',
    open: 'Code that left its realm starts programs.',
  },
  {
    name: 'threads',
    attempts: ['thread'],
    refusals: DENIED,
    holds: "A module's thread starts no thread of its own, which would have other limits.",
    open: "A module's thread that left its realm starts threads without limits.",
  },
  {
    name: 'native addons',
    attempts: ['addon'],
    refusals: ['ERR_DLOPEN_DISABLED', ...DENIED],
    holds: 'It loads no native code.',
    open: 'Code that left its realm loads native code, which nothing holds.',
  },
  {
    name: 'code from strings',
    attempts: ['evaluate'],
    refusals: ['EvalError'],
    holds: 'Outside of the realm, too, V8 makes no code from text.',
    open: 'Code that left its realm makes code from text.',
  },
];

export function judgeReport(report: InsideReport, arrived: Arrived): Finding[] {
  return [
    ...WALLS.map((wall) => judgeWall(wall, report, arrived.connections)),
    judgeEnvironment(report),
    judgeFlags(report),
    judgeSignals(report, arrived),
    judgeBeyond(report, arrived),
  ];
}

const OTHER_NODE = 'Run the host with the Node version that this release names, without NODE_OPTIONS of your own.';

function judgeWall(
  { name, attempts, refusals, holds, open }: Wall,
  report: InsideReport,
  connections: number,
): Finding {
  const found = attempts.flatMap((attempt) =>
    (['cell', 'thread'] as const)
      .filter((place) => attempt !== 'thread' || place === 'thread')
      .filter((place) => !refusals.includes(report[place][attempt]))
      .map((place) => `${attempt} in the ${place}: ${report[place][attempt]}`),
  );
  if (name === 'network' && connections > 0) found.push('a connection arrived');
  return found.length === 0
    ? on(name, holds)
    : failed(name, 'platform', `${open} Tried: ${found.join(', ')}.`, OTHER_NODE);
}

function judgeEnvironment({ environment }: InsideReport): Finding {
  const name = 'environment';
  // Bubblewrap itself says where it has put the cell.
  const given = environment.filter((variable) => variable !== 'PWD');
  if (given.length === 0) return on(name, "Nothing of the host's environment, where keys often are, is in a cell.");
  const names = given.slice(0, 5).join(', ');
  return failed(name, 'platform', `A cell was given variables: ${names}.`, OTHER_NODE);
}

function judgeFlags({ flags, hasProto }: InsideReport): Finding {
  const name = 'optimising compiler';
  if (flags.includes('--no-turbofan') && !hasProto) {
    return on(name, 'TurboFan is off for modules that you did not list in jit.full: its loops cannot always be ended.');
  }
  return failed(name, 'platform', 'A cell runs without the flags that make its loops endable.', OTHER_NODE);
}

function judgeSignals(report: InsideReport, arrived: Arrived): Finding {
  const name = 'signals';
  if (!signalsHost(report, arrived)) return on(name, 'Code that left its realm cannot send a signal to the host.');
  return off(
    name,
    'Cells are the same user as the host, so code that left its realm can end the host.',
    'Set jail: bwrap, or start the host as root, which gives cells another user.',
  );
}

/** In a cell the number of the host may be somebody else's: what counts is what arrived, where it can be asked for. */
function signalsHost({ signal }: InsideReport, { signals }: Arrived): boolean {
  return signals > 0 || (process.platform === 'win32' && signal === 'done');
}

function judgeBeyond(report: InsideReport, arrived: Arrived): Finding {
  const name = 'beyond the thread';
  const { beyond } = report;
  const isSameUser = beyond.own === 'done';
  const open = [
    [isSameUser, 'it reads and changes whatever the user of the host may'],
    [!isSameUser && beyond.read === 'done', 'it reads what everybody may read'],
    [!isSameUser && beyond.write === 'done', 'it makes files where everybody may'],
    [arrived.beyond > 0, 'it reaches the network'],
    [signalsHost(report, arrived), 'it ends the host'],
  ].flatMap(([isOpen, words]) => (isOpen === true ? [words] : []));
  const free = 'Code that left its thread as well gives itself back what Node took';
  if (open.length === 0) {
    return on(name, `${free}, and even so has no file of this machine's users, no network and no process of the host.`);
  }
  const children = beyond.child === 'done' ? ['it starts programs'] : [];
  return off(
    name,
    `${free}: ${[...open, ...children].join(', ')}.`,
    'Set jail: bwrap (Linux, apt-get install bubblewrap).',
  );
}

function notStarted(said: string): Finding {
  return failed('cells', 'platform', `A cell cannot be started here: ${said}.`, OTHER_NODE);
}
