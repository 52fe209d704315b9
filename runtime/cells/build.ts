/**
 * Builds what runs in cells: the cell's program, the thread's program, the guest kernel and the data cell's program, each
 * as one file, into a folder of their own. A cell may read that folder and nothing else.
 */
import { createHash } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, stop } from 'esbuild';

export interface CellFiles {
  readonly folder: string;
  readonly program: string;
  /** Of the process that holds the modules' databases. */
  readonly dataProgram: string;
  /** Where cells run: a thread may read what is below its working directory, so nothing is. */
  readonly emptyFolder: string;
  /** Of the kernel's text: part of every key under which something learnt in a guest is kept. */
  readonly kernelHash: string;
}

const source = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

const SHARED: BuildOptions = {
  bundle: true,
  write: false,
  target: 'node26',
  charset: 'ascii',
  legalComments: 'none',
  minifySyntax: true,
  logLevel: 'silent',
  define: { 'process.env.NODE_ENV': '"production"' },
};

/** @param cacheFolder made when missing; holds one folder per content. */
export async function buildCellFiles(cacheFolder: string): Promise<CellFiles> {
  const [cell, thread, data, kernel] = await Promise.all([
    bundle({ entryPoints: [source('cell/main.ts')], format: 'esm', platform: 'node' }),
    bundle({ entryPoints: [source('cell/thread.ts')], format: 'esm', platform: 'node' }),
    bundle({ entryPoints: [source('data-cell/main.ts')], format: 'esm', platform: 'node' }),
    bundle({
      entryPoints: [source('guest/kernel.ts')],
      format: 'iife',
      globalName: 'kernel',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['import', 'default'],
      minifyWhitespace: true,
    }),
  ]);
  // The bundler is a process of its own, of which this one needs nothing more: modules are bundled elsewhere.
  await stop();
  // The value of the kernel script is its boot function; the global that esbuild makes must not stay.
  const kernelText = `(() => { ${kernel} return kernel.boot; })()`;
  const hash = sha256([cell, thread, data, kernelText, process.version].join('\0')).slice(0, 16);
  const folder = join(cacheFolder, `cell-${hash}`);
  const files = cellFilesIn(folder, sha256(kernelText));
  if (await exists(files.program)) return files;
  await placeAtomically(folder, {
    'package.json': '{ "type": "module" }\n',
    'cell.js': cell,
    'thread.js': thread,
    'data-cell.js': data,
    'kernel.js': kernelText,
  });
  return files;
}

/** The same files, as they are found in a folder. */
export function cellFilesIn(folder: string, kernelHash: string): CellFiles {
  return {
    folder,
    program: join(folder, 'cell.js'),
    dataProgram: join(folder, 'data-cell.js'),
    emptyFolder: join(folder, 'empty'),
    kernelHash,
  };
}

async function bundle(options: BuildOptions): Promise<string> {
  const result = await build({ ...SHARED, ...options });
  return result.outputFiles?.[0]?.text ?? '';
}

/** Two hosts that start at once on one folder must not see half of it. */
async function placeAtomically(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const draft = `${folder}.${process.pid}.draft`;
  await mkdir(join(draft, 'empty'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(draft, name), text);
  try {
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(join(folder, 'cell.js')))) throw error;
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
