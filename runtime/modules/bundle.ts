/** Turns a module's folder into one checked function body that a sealed realm can run. */
import { createHash } from 'node:crypto';
import { lstatSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { TraceMap } from '@jridgewell/trace-mapping';
import { type BuildOptions, type BuildResult, build, stop } from 'esbuild';
import { BundleError, type BundleIssue } from './bundle-error.ts';
import { confineToFolder } from './bundle-files.ts';
import { failuresOf, fromMessage, isBuildFailure, isEmptyImportMeta, mapFinding } from './bundle-issues.ts';
import { assertPlainTree } from './bundle-tree.ts';
import { lintBundle } from './lint.ts';

export interface BundleOptions {
  readonly folder: string;
  /** The module's name. */
  readonly name: string;
}

export interface Bundle {
  /** The body of a function `(sdk) => { … }` that returns the module's exports. */
  readonly code: string;
  /** Source map of `code`; its sources are relative to the folder. */
  readonly map: string;
  /** SHA-256 of `code`, in hexadecimal. */
  readonly hash: string;
  /** The files that went in, relative to the folder. */
  readonly inputs: readonly string[];
  readonly warnings: readonly BundleIssue[];
}

/** @throws BundleError with every issue, in the author's files */
export async function bundleModule({ folder, name }: BundleOptions): Promise<Bundle> {
  const root = realFolder(folder, name);
  assertPlainTree(root);
  const entry = findEntry(root);
  let result: BuildResult<typeof FIXED & { absWorkingDir: string }>;
  try {
    result = await build({
      ...FIXED,
      absWorkingDir: root,
      entryPoints: [join(root, entry)],
      plugins: [confineToFolder(root)],
    });
  } catch (error) {
    // The bundler's process died of what it read; without this every later build in this thread would fail too.
    if (!isBuildFailure(error)) await stop();
    throw new BundleError(failuresOf(error, root));
  }
  const importMeta = result.warnings.filter(isEmptyImportMeta);
  if (importMeta.length > 0) throw new BundleError(importMeta.map((message) => fromMessage(message, root)));

  const [map = '', code = ''] = ['.map', '.js'].map(
    (end) => result.outputFiles.find((file) => file.path.endsWith(end))?.text,
  );
  const findings = lintBundle(code);
  if (findings.length > 0) {
    const trace = new TraceMap(map);
    throw new BundleError(findings.map((finding) => mapFinding(finding, trace)));
  }
  return {
    code,
    map,
    hash: createHash('sha256').update(code).digest('hex'),
    inputs: Object.keys(result.metafile.inputs).filter((input) => !input.startsWith('plexi:')),
    warnings: result.warnings.map((message) => fromMessage(message, root)),
  };
}

const FIXED = {
  bundle: true,
  write: false,
  metafile: true,
  outfile: 'module.js',
  sourcemap: 'external',
  sourcesContent: false,
  format: 'iife',
  globalName: '__plexiModule',
  banner: { js: '"use strict";' },
  footer: { js: 'return __plexiModule;' },
  target: 'es2022',
  platform: 'browser',
  conditions: ['worker', 'module'],
  charset: 'ascii',
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  // Boundary: with this, no tsconfig.json (which may extend any file) is looked for.
  tsconfigRaw: { compilerOptions: { target: 'es2022', useDefineForClassFields: true } },
  nodePaths: [],
  logLevel: 'silent',
  logLimit: 100,
} as const satisfies BuildOptions;

function realFolder(folder: string, name: string): string {
  try {
    return realpathSync(folder);
  } catch {
    throw new BundleError([{ file: '', line: 0, column: 0, message: `The folder of ${name} does not exist.` }]);
  }
}

const ENTRIES = ['module.ts', 'module.js', 'module.mjs'] as const;

function findEntry(root: string): string {
  const found = ENTRIES.find((file) => lstatSync(join(root, file), { throwIfNoEntry: false })?.isFile());
  if (found !== undefined) return found;
  const message = `The folder has no module file; allowed are ${ENTRIES.join(', ')}.`;
  throw new BundleError([{ file: '', line: 0, column: 0, message }]);
}
