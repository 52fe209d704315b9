/**
 * What becomes of cells with code in them that left its realm and its thread: what they start, take, burn and keep open is
 * seen by the host and ends with them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CellLook } from '../../runtime/cells/cell-look.ts';
import { createCellUsers } from '../../runtime/cells/jail/users.ts';
import { beyondThread, startProgram } from '../support/free-cell.ts';
import { missingBubblewrap } from '../support/jail-scenario.ts';
import { isRunning } from '../support/processes.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const isRoot = process.getuid?.() === 0;
const isCi = process.env.CI !== undefined;
const needsRoot = isRoot ? '' : ' (The tests do not run as root.)';
const because = missingBubblewrap === undefined ? '' : ` (${missingBubblewrap})`;
const skipsBubblewrap = missingBubblewrap !== undefined && !isCi;

/** Starts a program that does not end by itself; says its id. */
const startChild = (options: string): string =>
  beyondThread(`
    const child = require('node:child_process').spawn(process.execPath, ['-e', 'for (;;);'], ${options});
    process.stderr.write('CHILD ' + child.pid + ' ');`);

async function childOf(program: string, jail: 'auto' | 'bwrap' | 'none') {
  const { cell, said } = await startProgram(program, jail);
  await until(() => /CHILD \d+ /.test(said()));
  const child = Number(/CHILD (\d+) /.exec(said())?.[1]);
  return { cell, child, said };
}

/** The processes that are in a namespace of processes. */
function holders(namespace: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((processId) => Number.isInteger(processId) && readlinkOrNone(processId) === namespace);
}

function readlinkOrNone(processId = 0): string {
  try {
    return readlinkSync(`/proc/${processId}/ns/pid`);
  } catch {
    return '';
  }
}

function endLater(processId: number): void {
  onTestFinished(() => void (isRunning(processId) && process.kill(processId, 'SIGKILL')));
}

describe('what a cell has started', () => {
  it.skipIf(!isRoot)(`ends with it, also in a session of its own${needsRoot}`, async () => {
    const { cell, child } = await childOf(startChild(`{ detached: true, stdio: 'ignore' }`), 'auto');
    endLater(child);
    expect(isRunning(child)).toBe(true);
    cell.kill();
    await until(() => !isRunning(child));
  });

  it.skipIf(!isRoot)(`ends also when the cell ends by itself${needsRoot}`, async () => {
    const { cell, child } = await childOf(
      `${startChild(`{ detached: true, stdio: 'ignore' }`)} setTimeout(() => process.exit(0), 500);`,
      'auto',
    );
    endLater(child);
    await cell.closed;
    await until(() => !isRunning(child));
  });

  it('ends with it where the cell is the same user as the host, as long as it stays in its group', async () => {
    const { cell, child } = await childOf(startChild(`{ stdio: 'ignore' }`), 'none');
    endLater(child);
    expect(isRunning(child)).toBe(true);
    cell.kill();
    await until(() => !isRunning(child));
  });

  it.skipIf(skipsBubblewrap)(`ends with it in bubblewrap, whatever it did${because}`, async () => {
    // There is not even an empty device in there.
    const { cell } = await childOf(startChild(`{ detached: true, stdio: 'pipe' }`), 'bwrap');
    const inside = readlinkOrNone(cell.processId);
    expect(holders(inside)).not.toEqual([]);
    cell.kill();
    await until(() => holders(inside).length === 0);
  });

  it('costs the host nothing with a stream that it inherited', async () => {
    const flood = `const b = Buffer.alloc(65536, 120); for (;;) try { require('node:fs').writeSync(2, b); } catch (error) { if (error.code !== 'EAGAIN') throw error; }`;
    const { cell, child } = await childOf(
      `${beyondThread(`
        const code = ${JSON.stringify(flood)};
        const child = require('node:child_process').spawn(process.execPath, ['-e', code], { detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
        process.stderr.write('CHILD ' + child.pid + ' ');`)} setTimeout(() => process.exit(0), 500);`,
      'none',
    );
    endLater(child);
    await cell.closed;
    // Nobody reads what it writes, so it is refused.
    await until(() => !isRunning(child));
  });
});

describe('a cell that takes more than its modules may have', () => {
  const greedy = `const kept = []; for (let n = 0; n < 14; n++) kept.push(new Uint8Array(64 * 1024 ** 2).fill(1)); for (;;);`;

  it('is killed by the host, whatever it does itself', async () => {
    const { cell, said } = await startProgram(greedy);
    await cell.closed;
    expect(said()).toMatch(/has \d+ MB, where its modules may have 256 MB/);
  });

  it.skipIf(!isRoot)(`is killed when it is what it started that takes it${needsRoot}`, async () => {
    const part =
      'const k = []; for (let n = 0; n < 5; n++) k.push(new Uint8Array(64 * 1024 ** 2).fill(1)); setInterval(() => {}, 1e6);';
    const { cell, said } = await startProgram(
      beyondThread(`
        const { spawn } = require('node:child_process');
        for (let n = 0; n < 3; n++) spawn(process.execPath, ['-e', ${JSON.stringify(part)}], { detached: true, stdio: 'ignore' });`),
    );
    await cell.closed;
    expect(said()).toMatch(/has \d+ MB, where its modules may have 256 MB/);
  });
});

describe('a cell that would not be the first to go when memory is short', () => {
  const lower = beyondThread(`
    const fs = require('node:fs');
    setTimeout(() => {
      try { fs.writeFileSync('/proc/self/oom_score_adj', '0'); } catch (error) { process.stderr.write('REFUSED ' + error.code); }
    }, 1500);`);

  const expectEnd = async (jail: 'auto' | 'bwrap'): Promise<void> => {
    const { cell, said } = await startProgram(lower, jail);
    await until(() => !cell.alive || said().includes('REFUSED E'));
    if (!cell.alive) expect(said()).toContain('would not be the first to go any more');
  };

  it('is refused that, or ended', () => expectEnd('auto'));

  it.skipIf(skipsBubblewrap)(`is refused that, or ended, in bubblewrap${because}`, () => expectEnd('bwrap'));
});

describe('a cell that works without a break and says nothing of it', () => {
  it('has its threads step back behind the host', async () => {
    const { cell } = await startProgram(beyondThread('for (;;);'));
    const nices = (): number[] =>
      readdirSync(`/proc/${cell.processId}/task`).map((thread) =>
        Number(readFileSync(`/proc/${cell.processId}/task/${thread}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]),
      );
    await until(() => nices().some((nice) => nice > 0), 15_000);
  });

  it('is ended when it is its own thread, which then relays nothing', async () => {
    const busy = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
    onTestFinished(() => void busy.kill('SIGKILL'));
    const look = new CellLook({ user: undefined, goesFirst: false });
    const faults: (string | undefined)[] = [];
    for (let sent = 1; faults.at(-1) === undefined && faults.length < 100; sent = 12) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      faults.push(look.look(busy.pid ?? 0, sent).fault);
    }
    expect(faults.at(-1)).toBe('works without end and says nothing');
    expect(faults.length).toBeGreaterThan(10);
    // One that says something may have much to do.
    const other = new CellLook({ user: undefined, goesFirst: false });
    for (let sent = 1; sent < 25; sent++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(other.look(busy.pid ?? 0, sent).fault).toBeUndefined();
    }
  });
});

it.skipIf(!isRoot)(`nobody who runs something on this machine becomes the user of a cell${needsRoot}`, async () => {
  const range = { first: 66_123, last: 66_124 };
  const other = spawn('setpriv', ['--reuid=66123', '--regid=66123', '--clear-groups', '--', 'sleep', '60']);
  onTestFinished(() => void other.kill('SIGKILL'));
  await until(() => spawnSync('pgrep', ['-u', '66123']).status === 0);
  const users = createCellUsers(range);
  expect(users.take()).toBe(66_124);
  expect(() => users.take()).toThrow(RangeError);
});

it('a descriptor that the launcher forgot is in no cell, however high its number', async () => {
  const folder = tempFolder({ secret: 'the-secret' });
  const program = `
    import fs from 'node:fs';
    const bytes = Buffer.alloc(100);
    const read = (descriptor) => { try { return bytes.toString('utf8', 0, fs.readSync(descriptor, bytes, 0, 100, 0)); } catch (error) { return error.code; } };
    process.stderr.write('READ ' + [40, 5000].map(read).join() + ' ');
    setInterval(() => {}, 1e6);`;
  const cellFolder = tempFolder({ 'package.json': '{ "type": "module" }', 'cell.js': program, 'empty/nothing': '' });
  const cells = new URL('../../runtime/cells/', import.meta.url).pathname;
  const host = `
    const { probeJail } = await import(${JSON.stringify(`${cells}jail/probe-jail.ts`)});
    const { Cell } = await import(${JSON.stringify(`${cells}cell.ts`)});
    const { cellFilesIn } = await import(${JSON.stringify(`${cells}build.ts`)});
    const files = cellFilesIn(${JSON.stringify(cellFolder)}, '');
    const jail = await (await probeJail({ jail: 'auto' })).open(files);
    const cell = new Cell({ files, jail, jit: 'safe', onClose() {}, onNoise(text) { console.log(text); cell.kill(); } });
    await cell.closed;
    await jail.close();`;
  const secret = join(folder, 'secret');
  const script = `ulimit -n 8000; exec 40<${secret} 5000<${secret}; exec ${process.execPath} --input-type=module -e "$HOST"`;
  const { stdout } = spawnSync('bash', ['-c', script], {
    env: { ...process.env, HOST: host },
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect(stdout).toContain('READ ');
  expect(stdout).not.toContain('the-secret');
});
