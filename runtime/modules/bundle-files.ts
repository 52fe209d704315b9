/** The only way in which the bundler gets at a file: by its real path, if that lies where a module's files may lie. */
import { constants } from 'node:fs';
import { open, readFile, realpath } from 'node:fs/promises';
import { dirname, extname, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Loader, OnLoadResult, Plugin, PluginBuild } from 'esbuild';
import { builtinMessage, isBuiltin } from './bundle-builtins.ts';
import { climbingImport } from './bundle-globs.ts';
import { findSharedPackages } from './bundle-packages.ts';

const LOADERS: Readonly<Record<string, Loader>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.json': 'json',
  '.txt': 'text',
  '.html': 'text',
  '.css': 'text',
  '.liquid': 'text',
};

const MAX_FILE_BYTES = 5 * 1024 * 1024;
/** The bundler takes up to a hundred times as much memory. */
const MAX_TOTAL_BYTES = 15 * 1024 * 1024;

/** @param folder real path of the module's folder */
export function confineToFolder(folder: string): Plugin {
  return {
    name: 'confine-to-folder',
    setup(build) {
      refuseNames(build);
      const isAllowed = allowedRoots(folder);
      let total = 0;
      build.onLoad({ filter: /^/ }, async (args) => {
        if (args.namespace === SDK_NAMESPACE) return loadSdk(args.path, folder);
        if (args.namespace !== 'file') return refuse('Only files can be imported.');
        const loader = LOADERS[extname(args.path).toLowerCase()];
        if (loader === undefined) {
          return refuse(
            `Files of the type "${extname(args.path)}" cannot be imported; allowed are ${Object.keys(LOADERS).join(' ')}.`,
          );
        }
        const kind = args.with.type;
        if (kind !== undefined && !(kind === 'json' && loader === 'json') && !(kind === 'text' && loader === 'text')) {
          return refuse(`The import attribute type "${kind}" does not fit this file.`);
        }
        const read = await readConfined(args.path, isAllowed);
        if (typeof read === 'string') return refuse(read);
        total += read.contents.byteLength;
        if (total > MAX_TOTAL_BYTES)
          return refuse(`The imported files have more than ${MAX_TOTAL_BYTES / 1024 / 1024} MB.`);
        const resolveDir = dirname(read.path);
        if (loader !== 'js' && loader !== 'ts') return { contents: read.contents, loader, resolveDir };
        const contents = withoutMapComments(read.contents);
        const climbing = await climbingImport(contents, loader);
        if (climbing === undefined) return { contents, loader, resolveDir };
        return { errors: [{ text: climbing, location: { file: relative(folder, read.path) } }] };
      });
    },
  };
}

const SDK_NAMESPACE = 'plexi';
const refuse = (text: string) => ({ errors: [{ text }] });

/** The kernel has the sdk; what belongs to a package of the author's is bundled beside that, and imports theirs. */
async function loadSdk(path: string, folder: string): Promise<OnLoadResult> {
  if (path === SDK) return { contents: 'module.exports = sdk;', loader: 'js' };
  return { contents: await readFile(fileURLToPath(import.meta.resolve(path))), loader: 'ts', resolveDir: folder };
}

const SDK = '@plexichat/sdk';

function refuseNames(build: PluginBuild): void {
  build.onResolve({ filter: /^@plexichat\/sdk(?:\/kysely)?$/ }, (args) => ({
    path: args.path,
    namespace: SDK_NAMESPACE,
    sideEffects: false,
  }));
  build.onResolve({ filter: /^@plexichat\/(sdk\/|runtime)/ }, (args) =>
    refuse(`"${args.path}" cannot be part of a module; allowed are @plexichat/sdk and @plexichat/sdk/kysely.`),
  );
  // Boundary: everything that looks like a URL, `node:` first of all.
  build.onResolve({ filter: /^[A-Za-z][A-Za-z0-9+.-]*:/ }, (args) =>
    isBuiltin(args.path)
      ? refuse(builtinMessage(args.path))
      : refuse(`"${shorten(args.path)}" is a URL; allowed are files of the module and npm packages.`),
  );
  build.onResolve({ filter: /^[/\\]/ }, (args) =>
    args.kind === 'entry-point'
      ? undefined
      : refuse(`"${shorten(args.path)}" is an absolute path; allowed are relative paths.`),
  );
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Boundary: esbuild reads the file behind such a comment by itself, wherever it lies. Same length: columns stay true. */
function withoutMapComments(contents: Uint8Array): string {
  return Buffer.from(contents)
    .toString('utf8')
    .replace(/(\/[/*][#@] sourceMapping)URL=/g, '$1Url=');
}

/** The folder with its own node_modules, and the shared packages; those are looked for when the first file asks. */
function allowedRoots(folder: string): (path: string) => Promise<boolean> {
  let shared: Promise<readonly string[]> | undefined;
  return async (path) => {
    if (path.startsWith(folder + sep)) return true;
    shared ??= findSharedPackages(folder);
    return (await shared).some((root) => path.startsWith(root));
  };
}

function outsideMessage(path: string): string {
  const name = /^.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/s.exec(path)?.[1];
  if (name === undefined)
    return 'The file lies outside of the module’s folder and its node_modules; copy it into the folder.';
  return `The package ${name} lies outside of the module’s folder. Allowed are packages in the folder's own node_modules and, in an npm workspace that lists the folder, those that the "dependencies" of its package.json name.`;
}

/** Boundary: what lies outside, is a link out, a device, a pipe or too large never reaches the bundler. */
async function readConfined(
  path: string,
  isAllowed: (path: string) => Promise<boolean>,
): Promise<{ path: string; contents: Uint8Array } | string> {
  let real: string;
  try {
    real = await realpath(path);
  } catch {
    return 'The file cannot be read.';
  }
  if (!(await isAllowed(real))) return outsideMessage(real);
  // Links were followed above; one that appears in between is refused here.
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (file === undefined) return 'The file cannot be read.';
  try {
    const status = await file.stat();
    if (!status.isFile()) return 'This is no ordinary file.';
    if (status.size > MAX_FILE_BYTES) return `The file has more than ${MAX_FILE_BYTES / 1024 / 1024} MB.`;
    return { path: real, contents: await file.readFile() };
  } finally {
    await file.close();
  }
}
