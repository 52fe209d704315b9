/** What a jailed process of this machine cannot do: tried in one, from the cell and from a thread in it. */
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CellFiles } from '../../cells/build.ts';
import { Cell } from '../../cells/cell.ts';
import type { OpenJail } from '../../cells/jail.ts';
import { type Finding, failed, off, on } from './finding.ts';
import type { Attempts, InsideOrder, InsideReport } from './inside-cell-report.ts';

export interface Bait {
  /** Puts what is to be run inside beside the programs of cells. */
  lay(files: CellFiles): Promise<void>;
  /** Call when the jail is open over these files. */
  tryCell(files: CellFiles, jail: OpenJail): Promise<readonly Finding[]>;
  close(): void;
}

/** @param folder for a file that anybody may read, whom nothing holds */
export async function openBait(folder: string): Promise<Bait> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const order: InsideOrder = { file: await layFile(folder), port };
  return {
    async lay({ folder: programs }) {
      await copyFile(fileURLToPath(new URL(`./${PROGRAM}`, import.meta.url)), join(programs, PROGRAM));
      await writeFile(join(programs, 'order.json'), JSON.stringify(order));
    },
    async tryCell(files, jail) {
      const report = await runInside(files, jail);
      return typeof report === 'string' ? [notStarted(report)] : judgeReport(report, connections);
    },
    close: () => void server.close(),
  };
}

const PROGRAM = 'inside-cell.ts';
const TRY_MS = 10_000;
/** What a process has printed may arrive after its end. */
const LAST_WORDS_MS = 500;

async function layFile(folder: string): Promise<string> {
  const open = join(folder, 'open');
  const file = join(open, 'file');
  await mkdir(open);
  await writeFile(file, 'Anybody may read this.');
  await chmod(open, 0o777);
  await chmod(file, 0o666);
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
    attempts: ['read', 'list', 'write'],
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

/** @param connections that arrived where the cell was sent */
export function judgeReport(report: InsideReport, connections: number): Finding[] {
  return [
    ...WALLS.map((wall) => judgeWall(wall, report, connections)),
    judgeEnvironment(report),
    judgeFlags(report),
    judgeSignals(report),
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

function judgeSignals({ signal }: InsideReport): Finding {
  const name = 'signals';
  if (signal !== 'done') return on(name, 'Code that left its realm cannot send a signal to the host.');
  return off(
    name,
    'Cells are the same user as the host, so code that left its realm could end the host, though not read from it.',
    'Set jail: bwrap, or start the host as root, which gives cells another user.',
  );
}

function notStarted(said: string): Finding {
  return failed('cells', 'platform', `A cell cannot be started here: ${said}.`, OTHER_NODE);
}
