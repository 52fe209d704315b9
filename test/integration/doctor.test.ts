/** `plexi doctor` for real: cells are started, and code in them tries what it may not. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Finding } from '../../runtime/compose/doctor/finding.ts';
import type { InsideOrder, InsideReport } from '../../runtime/compose/doctor/inside-cell-report.ts';
import { judgeReport } from '../../runtime/compose/doctor/tried-cell.ts';
import { FACTS } from '../../runtime/compose/doctor/tried-realm.ts';
import { plexi } from '../support/plexi.ts';
import { withoutPlexiVariables } from '../support/plexi-variables.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

withoutPlexiVariables();

const PAGE = readFileSync(new URL('../../runtime/docs/isolation.md', import.meta.url), 'utf8');
const MAIN = fileURLToPath(new URL('../../runtime/main.ts', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../runtime/compose/doctor/inside-cell.ts', import.meta.url));

async function doctor(yaml: string, ...flags: string[]) {
  const folder = tempFolder({ 'plexi.yaml': yaml });
  const data = join(folder, 'data');
  const run = await plexi('doctor', '--config', join(folder, 'plexi.yaml'), '--data', data, '--json', ...flags);
  const { layers } = JSON.parse(run.output) as { layers: Finding[] };
  return { ...run, data, layers };
}

function leftovers(): string[] {
  return doctorFolders(tmpdir());
}

function doctorFolders(parent: string): string[] {
  return readdirSync(parent).filter((name) => name.startsWith('plexi-doctor-'));
}

describe('plexi doctor', () => {
  it('finds every wall that all rests on, makes nothing, and leaves nothing behind', async () => {
    const before = leftovers();
    const { code, errors, data, layers } = await doctor('{}');
    expect(layers.filter(({ state }) => state === 'failed')).toEqual([]);
    expect([code, errors]).toEqual([0, '']);
    expect(existsSync(data)).toBe(false);
    expect(leftovers()).toEqual(before);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('leaves nothing behind when %s ends it in the middle', async (signal) => {
    const folder = tempFolder({ 'tmp/nothing': '' });
    const temporary = join(folder, 'tmp');
    const child = spawn(process.execPath, [MAIN, 'doctor', '--data', join(folder, 'data')], {
      cwd: folder,
      env: { TMPDIR: temporary },
      stdio: 'ignore',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise((resolve) => child.once('exit', (_code, by) => resolve(by)));
    // Programs are laid, so cells are about to start or have started.
    await until(() => doctorFolders(temporary).some((name) => readdirSync(join(temporary, name)).includes('own')));
    child.kill(signal);
    expect(await ended).toBe(signal);
    expect(doctorFolders(temporary)).toEqual([]);
    const shared = readdirSync('/run').filter((name) => name.startsWith('plexi-cells-'));
    expect(shared.filter((name) => name.includes(`-${child.pid}-`))).toEqual([]);
  });

  it('names its layers as the page does, each once', async () => {
    const { layers } = await doctor('{}');
    const rows = [...PAGE.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name]) => name);
    expect(layers.map(({ name }) => name)).toEqual(rows);
  });

  it('ends with 1, and says which, when a setting asks for what does not hold', async () => {
    const yaml = 'redis: "redis://localhost"\nqueue: "postgres://localhost/a"\n';
    const { code, errors } = await doctor(yaml);
    expect(code).toBe(1);
    expect(errors).toBe('Not protected as it should be: queue.\n');
  });

  it('ends with 1 when the settings themselves cannot be read', async () => {
    const folder = tempFolder({ 'plexi.yaml': 'jail: chroot\n' });
    const { code, errors } = await plexi('doctor', '--config', join(folder, 'plexi.yaml'));
    expect(code).toBe(1);
    expect(errors).toContain('jail');
  });

  it('has no colours where nobody looks', async () => {
    const folder = tempFolder({ 'plexi.yaml': '{}' });
    const { output } = await plexi('doctor', '--config', join(folder, 'plexi.yaml'), '--data', join(folder, 'data'));
    expect(output).not.toContain('\u001b');
    for (const line of output.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});

describe('what it tries', () => {
  it('succeeds where nothing holds it, so that a refusal means something', async () => {
    const folder = tempFolder({ 'package.json': '{ "type": "module" }', 'open/file': 'x' });
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    mkdirSync(join(folder, 'programs'));
    cpSync(PROGRAM, join(folder, 'programs/inside-cell.ts'));
    const file = join(folder, 'open/file');
    const order: InsideOrder = { file, ownFile: file, port, beyondPort: port, hostProcess: process.pid };
    writeFileSync(join(folder, 'programs/order.json'), JSON.stringify(order));
    let signals = 0;
    const onSignal = (): void => {
      signals += 1;
    };
    process.on('SIGURG', onSignal);
    onTestFinished(() => void process.off('SIGURG', onSignal));
    const report = await runFreely(join(folder, 'programs/inside-cell.ts'));
    // A thread has flags of its own, which forbid what the process may do.
    expect({ ...report.cell, thread: '' }).toEqual({
      read: 'done',
      own: 'done',
      list: 'done',
      write: 'done',
      connect: 'done',
      listen: 'done',
      child: 'done',
      addon: 'ERR_DLOPEN_FAILED',
      evaluate: 'done',
      thread: '',
    });
    expect(report.environment).toContain('SECRET');
    const arrived = { connections, beyond: connections, signals };
    const failed = judgeReport(report, arrived).filter(({ state }) => state !== 'on');
    expect(failed.map(({ name }) => name)).toEqual([
      'files',
      'network',
      'child processes',
      'native addons',
      'code from strings',
      'environment',
      'optimising compiler',
      'signals',
      'beyond the thread',
    ]);
  }, 60_000);

  it.each(FACTS)('of the realm is false in a realm that is not sealed: $name', ({ holds }) => {
    const prepareStackTrace = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
    onTestFinished(() => {
      if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
      else Object.defineProperty(Error, 'prepareStackTrace', prepareStackTrace);
    });
    const refused = (run: () => void): boolean => {
      try {
        run();
        return false;
      } catch (error) {
        return error instanceof EvalError || error instanceof TypeError;
      }
    };
    const sdk = { BaseModule: class {} };
    expect(new Function('sdk', 'refused', `return (${holds}) === true;`)(sdk, refused)).toBe(false);
  });
});

/** The program of the doctor, with none of the flags of a cell. */
async function runFreely(program: string): Promise<InsideReport> {
  const child = spawn(process.execPath, [program], {
    env: { SECRET: 'x' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (text.endsWith('}\n')) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(text) as InsideReport;
}
