/** Real cells, whose program is a test's own: code that has left its thread, and what it can start from there. */
import { onTestFinished } from 'vitest';
import { cellFilesIn } from '../../runtime/cells/build.ts';
import { Cell } from '../../runtime/cells/cell.ts';
import { type JailOptions, probeJail } from '../../runtime/cells/jail/probe-jail.ts';
import { tempFolder } from './temp-folder.ts';

export interface FreeCell {
  readonly cell: Cell;
  /** What it printed, and what the host said of it. */
  said(): string;
}

/** @param jail `none`: Node's own permissions only */
export async function startProgram(program: string, jail: JailOptions['jail'] | 'none' = 'auto'): Promise<FreeCell> {
  const folder = tempFolder({ 'package.json': '{ "type": "module" }', 'cell.js': program, 'empty/nothing': '' });
  const files = cellFilesIn(folder, '');
  const open = jail === 'none' ? undefined : await (await probeJail({ jail })).open(files);
  const noise: string[] = [];
  const cell = new Cell({ files, jail: open, jit: 'safe', onNoise: (text) => noise.push(text), onClose: () => {} });
  onTestFinished(async () => {
    cell.kill();
    await cell.closed;
    await open?.close();
  });
  return { cell, said: () => noise.join('') };
}

/** The program of a cell that runs this script (CommonJS) where Node's permissions do not bind it. */
export function beyondThread(script: string): string {
  return `
    import { Worker } from 'node:worker_threads';
    new Worker(${JSON.stringify(script)}, { eval: true, execArgv: [] }).on('error', (error) => console.error(error));
    setInterval(() => {}, 1e6);`;
}
