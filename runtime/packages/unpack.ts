/** Unpacks a ZIP of a stranger into a new folder, or says all that is wrong with it. Runs in a thread that may be ended. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder, placeFile } from './durable.ts';
import { hashOfFiles } from './file-hashes.ts';
import { inflateEntry } from './inflate-entry.ts';
import { findIntegrityProblems } from './integrity.ts';
import { findClashes } from './name-clashes.ts';
import { isNativeName, nativeKind } from './native-code.ts';
import { PACKAGE_BOUNDS, showBytes } from './package-bounds.ts';
import { PackageError, type PackageIssue } from './package-error.ts';
import { CONFIG_FILE, findLayoutProblems, INTEGRITY_FILE, SIGNATURE_FILE } from './package-layout.ts';
import { verifySignature } from './signature.ts';
import { readZipEnd } from './zip-end.ts';
import { readZipEntries, type ZipEntry } from './zip-entries.ts';

export interface UnpackOptions {
  /** Path of the ZIP. */
  readonly zip: string;
  /** Must not be there yet. */
  readonly folder: string;
}

export interface UnpackedPackage {
  /** The text of config.yaml, not read yet. */
  readonly config: string;
  /** SHA-256 over paths and contents, in hexadecimal. */
  readonly hash: string;
  readonly bytes: number;
  readonly files: readonly string[];
  readonly isPacked: boolean;
  readonly publisher: string | undefined;
}

/** What it wrote is not synced to the disk yet. @throws PackageError */
export async function unpackPackage({ zip, folder }: UnpackOptions): Promise<UnpackedPackage> {
  const fd = openSync(zip, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) throw refused('', 'This is no file.');
    if (status.size > PACKAGE_BOUNDS.zipBytes) {
      const message = `The package has ${showBytes(status.size)}; allowed are ${showBytes(PACKAGE_BOUNDS.zipBytes)}.`;
      throw new PackageError('too-large', [{ path: '', message }]);
    }
    const entries = await readZipEntries(fd, readZipEnd(fd, status.size));
    assertTree(entries);
    return unpackEntries(fd, entries, folder);
  } finally {
    closeSync(fd);
  }
}

function assertTree(entries: readonly ZipEntry[]): void {
  const files = entries.filter(({ isFolder }) => !isFolder).map(({ path }) => path);
  const native = files.filter(isNativeName).map((path) => ({ path, message: NATIVE }));
  const folders = entries.filter(({ isFolder }) => isFolder).map(({ path }) => `${path}/`);
  assertNone([...findClashes(entries), ...native, ...findLayoutProblems([...files, ...folders])]);
  assertFolders(entries);
}

/** Also those that only the paths of files tell of: each is made, and synced to the disk. */
function assertFolders(entries: readonly ZipEntry[]): void {
  const folders = new Set<string>();
  for (const { path, isFolder } of entries) {
    const steps = path.split('/');
    if (!isFolder) steps.pop();
    for (; steps.length > 0; steps.pop()) folders.add(steps.join('/'));
  }
  const max = PACKAGE_BOUNDS.folders;
  if (folders.size > max) throw refused('', `The package has ${folders.size} folders; allowed are ${max}.`);
}

const NATIVE = 'it is a program for one kind of machine (a native addon); modules bring none';

function unpackEntries(fd: number, entries: readonly ZipEntry[], folder: string): UnpackedPackage {
  const hashes = new Map<string, string>();
  const kept = new Map<string, Buffer>();
  let bytes = 0;
  makeFolder(folder);
  for (const entry of entries) {
    const { path, isFolder } = entry;
    // Boundary: the name went through the allow-list of entry-name.ts, so this stays inside of the folder.
    const place = join(folder, path);
    makeFolder(isFolder ? place : dirname(place));
    if (isFolder) continue;
    const content = inflateEntry(fd, entry);
    bytes += content.length;
    const kind = nativeKind(content);
    if (kind !== undefined) throw refused(path, `${NATIVE} (${kind})`);
    hashes.set(path, createHash('sha256').update(content).digest('hex'));
    if (KEPT.has(path)) kept.set(path, content);
    placeFile(place, content);
  }
  const integrity = kept.get(INTEGRITY_FILE);
  if (integrity !== undefined) assertNone(findIntegrityProblems(integrity, hashes));
  const publisher = publisherFrom(kept.get(SIGNATURE_FILE), integrity);
  const config = readConfig(kept.get(CONFIG_FILE));
  const files = [...hashes.keys()];
  return { config, hash: hashOfFiles(hashes), bytes, files, isPacked: integrity !== undefined, publisher };
}

const KEPT: ReadonlySet<string> = new Set([CONFIG_FILE, INTEGRITY_FILE, SIGNATURE_FILE]);

function publisherFrom(signature: Buffer | undefined, integrity: Buffer | undefined): string | undefined {
  if (signature === undefined || integrity === undefined) return undefined;
  const verified = verifySignature(signature, integrity);
  if (!verified.ok) throw refused(SIGNATURE_FILE, verified.message);
  return verified.publisher;
}

function readConfig(content: Buffer = Buffer.alloc(0)): string {
  if (content.length > PACKAGE_BOUNDS.configBytes) {
    throw refused(
      CONFIG_FILE,
      `it has ${showBytes(content.length)}; allowed are ${showBytes(PACKAGE_BOUNDS.configBytes)}`,
    );
  }
  return content.toString('utf8');
}

function assertNone(issues: readonly PackageIssue[]): void {
  if (issues.length === 0) return;
  const max = PACKAGE_BOUNDS.issues;
  const more = issues.length > max ? [{ path: '', message: `… and ${issues.length - max} more` }] : [];
  throw new PackageError('refused', [...issues.slice(0, max), ...more]);
}

function refused(path: string, message: string): PackageError {
  return new PackageError('refused', [{ path, message }]);
}
