/**
 * Which npm packages outside of a module's folder it may bundle: those that it declares and what they need, where an
 * npm workspace put them. Somebody else's packages in the same node_modules are none of its business.
 */
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { dirname, join, matchesGlob, relative, sep } from 'node:path';

const MAX_PACKAGES = 2000;
const MAX_PACKAGE_JSON_BYTES = 1024 * 1024;

/** Folders with a separator at their end. @param folder real path of the module's folder */
export async function findSharedPackages(folder: string): Promise<readonly string[]> {
  const workspace = await findWorkspace(folder);
  if (workspace === undefined) return [];
  const found = new Set<string>();
  const queue = [{ at: folder, names: dependencyNames(await readPackage(folder), ['dependencies']) }];
  for (const { at, names } of queue) {
    for (const name of names) {
      const home = await findPackage(name, at, workspace);
      if (home === undefined || found.has(home)) continue;
      if (found.size >= MAX_PACKAGES) return withSeparator(found);
      found.add(home);
      queue.push({ at: home, names: dependencyNames(await readPackage(home), TRANSITIVE) });
    }
  }
  return withSeparator(found);
}

const TRANSITIVE = ['dependencies', 'optionalDependencies', 'peerDependencies'] as const;

function withSeparator(folders: Iterable<string>): string[] {
  return [...folders].map((home) => home + sep);
}

/** Boundary: the operator's word that this folder shares packages with others: the nearest package above lists it. */
async function findWorkspace(folder: string): Promise<string | undefined> {
  for (let at = dirname(folder); ; at = dirname(at)) {
    const known = await readPackage(at);
    if (known !== undefined) {
      const path = relative(at, folder).split(sep).join('/');
      return workspacesOf(known).some((pattern) => matchesGlob(path, pattern)) ? at : undefined;
    }
    if (dirname(at) === at) return undefined;
  }
}

function workspacesOf({ workspaces }: PackageJson): string[] {
  const listed: unknown = isRecord(workspaces) ? workspaces.packages : workspaces;
  if (!Array.isArray(listed)) return [];
  const patterns = listed.filter((pattern) => typeof pattern === 'string');
  return patterns.map((pattern) => pattern.replace(/^\.\//, '').replace(/\/$/, ''));
}

/** As Node looks for it, up to the workspace's root. A link is no package: what it leads to is checked by its own place. */
async function findPackage(name: string, from: string, workspace: string): Promise<string | undefined> {
  if (!PACKAGE_NAME.test(name)) return undefined;
  for (let at = from; ; at = dirname(at)) {
    const home = join(at, 'node_modules', name);
    const status = await lstat(home).catch(() => undefined);
    if (status !== undefined) return status.isDirectory() ? home : undefined;
    if (at === workspace || dirname(at) === at) return undefined;
  }
}

const PACKAGE_NAME = /^(?:@[a-z0-9~_-][a-z0-9._~-]*\/)?[a-z0-9~_-][a-z0-9._~-]*$/i;

type PackageJson = Readonly<Record<string, unknown>>;

function dependencyNames(known: PackageJson | undefined, kinds: readonly string[]): string[] {
  return kinds.flatMap((kind) => {
    const listed = known?.[kind];
    return isRecord(listed) ? Object.keys(listed) : [];
  });
}

async function readPackage(folder: string): Promise<PackageJson | undefined> {
  const path = join(folder, 'package.json');
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (file === undefined) return undefined;
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > MAX_PACKAGE_JSON_BYTES) return undefined;
    const value: unknown = JSON.parse(await file.readFile('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
