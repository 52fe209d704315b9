/** Pages of the documentation as tests read them: the code to copy is compiled and run, tables are read. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as sdk from '@plexichat/sdk';
import * as testing from '@plexichat/sdk/testing';
import { build } from 'esbuild';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function blocksOf(page: string, language: string): string[] {
  const blocks = textOf(page).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'));
  return [...blocks].map(([, block = '']) => block);
}

/** File → code. A block that begins with a comment of one file name is that file. */
export function codeOf(page: string): Map<string, string> {
  const named = blocksOf(page, 'ts').map((block, index) => {
    const name = /^\/\/ (\S+\.ts)\n/.exec(block)?.[1];
    return [name ?? `block-${index + 1}.ts`, block] as const;
  });
  return new Map(named);
}

/** The rows of the table whose first column is called so. */
export function tableOf(page: string, first: string): string[][] {
  const lines = textOf(page).split('\n');
  const start = lines.findIndex((line) => new RegExp(`^\\| ${first} +\\|`).test(line)) + 2;
  const end = lines.findIndex((line, index) => index >= start && !line.startsWith('|'));
  return lines.slice(start, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** Writes the files where imports are found as they are in this repository. */
export function inFolder<Result>(files: ReadonlyMap<string, string>, use: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'plexi-docs-'));
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(ROOT, 'examples/tsconfig.json'), include: ['*.ts'], exclude: [] }),
    );
    for (const [name, content] of files) writeFileSync(join(folder, name), content);
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The exports of one of the files, as they would be in a project of an author's. */
export async function runPage(
  files: ReadonlyMap<string, string>,
  entry: string,
  vitest: object,
): Promise<{ default: unknown }> {
  const code = await bundle(files, entry);
  const module = { exports: {} as { default: unknown } };
  const known: Record<string, unknown> = { '@plexichat/sdk': sdk, '@plexichat/sdk/testing': testing, vitest };
  new Function('require', 'module', 'exports', code)((name: string) => known[name], module, module.exports);
  return module.exports;
}

async function bundle(files: ReadonlyMap<string, string>, entry: string): Promise<string> {
  const result = await build({
    stdin: { contents: files.get(entry) ?? '', loader: 'ts', resolveDir: ROOT },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'neutral',
    target: 'es2022',
    external: ['@plexichat/sdk', '@plexichat/sdk/testing', 'vitest'],
    plugins: [
      {
        name: 'files-of-the-page',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^\.\// }, ({ path }) => ({ path: path.slice(2), namespace: 'page' }));
          onLoad({ filter: /./, namespace: 'page' }, ({ path }) => ({ contents: files.get(path) ?? '', loader: 'ts' }));
        },
      },
    ],
  });
  return result.outputFiles[0]?.text ?? '';
}
