/** Finds the module folders of a directory and reads their manifests; what is wrong with one never hides another. */
import { constants, type Dirent } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { formatIssue, type YamlIssue } from '../config/yaml-issue.ts';
import { type ParsedManifest, type ParseManifest, type ParseManifestOptions, parseManifest } from './manifest.ts';
import { ParsedConfigs, stampOf } from './parsed-configs.ts';

export interface FoundModule extends Omit<ParsedManifest, 'ok'> {
  readonly ok: true;
  /** Real path, absolute. */
  readonly folder: string;
  readonly name: string;
}

export interface FailedFolder {
  readonly ok: false;
  readonly folder: string;
  /** The module's name, or the folder's when there is none to read. */
  readonly name: string;
  /** For operators; one sentence each. */
  readonly reasons: readonly string[];
  readonly issues: readonly YamlIssue[];
}

export type DiscoveredFolder = FoundModule | FailedFolder;

/** In order of folder names. Throws only when the directory itself cannot be read. */
export async function discoverModules(
  directory: string,
  options: ParseManifestOptions = {},
): Promise<DiscoveredFolder[]> {
  const root = await realpath(directory);
  const entries = (await readdir(root, { withFileTypes: true })).filter(mayBeModule);
  entries.sort((left, right) => (left.name < right.name ? -1 : 1));
  const folders: DiscoveredFolder[] = [];
  for (const entry of entries) {
    const found = await readEntry(root, entry, options);
    if (found !== undefined) folders.push(found);
  }
  return failDoubles(folders);
}

/** One folder that an operator named: `plexi dev DIR`, `plexi check DIR`. */
export async function discoverModule(folder: string, options: ParseManifestOptions = {}): Promise<DiscoveredFolder> {
  try {
    return await readFolder(await realpath(folder), basename(folder), options);
  } catch {
    return failed(folder, basename(folder), ['The folder does not exist or cannot be read.']);
  }
}

function mayBeModule(entry: Dirent): boolean {
  return (
    (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.') && entry.name !== 'node_modules'
  );
}

async function readEntry(
  root: string,
  entry: Dirent,
  options: ParseManifestOptions,
): Promise<DiscoveredFolder | undefined> {
  const folder = join(root, entry.name);
  let real: string;
  try {
    real = await realpath(folder);
  } catch {
    return failed(folder, entry.name, ['The link leads nowhere.']);
  }
  // Boundary: a link may not make a module of what lies outside of the directory.
  if (!real.startsWith(root + sep))
    return failed(folder, entry.name, ['The link leads out of the directory of modules.']);
  return readFolder(real, entry.name, options);
}

async function readFolder(folder: string, label: string, options: ParseManifestOptions): Promise<DiscoveredFolder> {
  let parsed: ParseManifest;
  try {
    parsed = await readConfig(join(folder, 'config.yaml'), label, options);
  } catch (error) {
    return failed(folder, label, [
      READ_REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? 'config.yaml cannot be read.',
    ]);
  }
  if (!parsed.ok) return failed(folder, label, parsed.issues.map(formatIssue), parsed.issues);
  return { ...parsed, folder, name: parsed.manifest.module_name };
}

const READ_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'The folder has no config.yaml.',
  ENOTDIR: 'This is not a folder.',
  ELOOP: 'config.yaml is a link; it must be a file.',
  EISDIR: 'config.yaml is a folder; it must be a file.',
};

/** More than any manifest may have; the parser says so. */
const MAX_READ_BYTES = 256 * 1024 + 1;

const known = new ParsedConfigs();

async function readConfig(path: string, label: string, options: ParseManifestOptions): Promise<ParseManifest> {
  // Boundary: no link is followed, no pipe is waited for, no huge file is read whole.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = await file.stat({ bigint: true });
    if (!status.isFile()) throw Object.assign(new Error('not a file'), { code: 'EISDIR' });
    const stamp = stampOf(label, status, options);
    const before = known.get(path, stamp);
    if (before !== undefined) return before;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_READ_BYTES), 0, MAX_READ_BYTES, 0);
    const parsed = parseManifest(buffer.toString('utf8', 0, bytesRead), `${label}/config.yaml`, options);
    known.put(path, stamp, status, parsed);
    return parsed;
  } finally {
    await file.close();
  }
}

function failed(
  folder: string,
  name: string,
  reasons: readonly string[],
  issues: readonly YamlIssue[] = [],
): FailedFolder {
  return { ok: false, folder, name, reasons, issues };
}

/** Two folders with one name: neither is run, since nobody can say which was meant. */
function failDoubles(folders: readonly DiscoveredFolder[]): DiscoveredFolder[] {
  return folders.map((found) => {
    if (!found.ok) return found;
    const others = folders.filter((other) => other !== found && other.ok && other.name === found.name);
    if (others.length === 0) return found;
    const named = others.map((other) => basename(other.folder)).join(', ');
    return failed(found.folder, found.name, [
      `The folder ${named} has the same module_name, "${found.name}"; names must differ.`,
    ]);
  });
}
