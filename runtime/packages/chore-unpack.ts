/** Runs in a chore thread: unpacks, and sends what is wrong back as data, since an error would lose it on the way. */
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import type { YamlIssue } from '../config/yaml-issue.ts';
import { syncTree } from './durable.ts';
import { PACKAGE_BOUNDS } from './package-bounds.ts';
import { PackageError, type PackageFault, type PackageIssue } from './package-error.ts';
import { CONFIG_FILE } from './package-layout.ts';
import { writeRecord } from './package-record.ts';
import { type UnpackedPackage, type UnpackOptions, unpackPackage } from './unpack.ts';

export interface UnpackChore extends UnpackOptions {
  /** URL of a file that exports `parseManifest`; with it the folder is made one that may be installed, on the disk. */
  readonly manifestFile?: string;
}

export type ParseManifestText = (
  text: string,
  file: string,
) => { readonly ok: true; readonly manifest: Manifest } | { readonly ok: false; readonly issues: readonly YamlIssue[] };

export type UnpackOutcome =
  | { readonly ok: true; readonly unpacked: UnpackedPackage; readonly manifest: Manifest | undefined }
  | { readonly ok: false; readonly fault: PackageFault; readonly issues: readonly PackageIssue[] };

// Piscina calls the default export of the file.
export default async function unpackInThread({ manifestFile, ...options }: UnpackChore): Promise<UnpackOutcome> {
  try {
    const unpacked = await unpackPackage(options);
    if (manifestFile === undefined) return { ok: true, unpacked, manifest: undefined };
    const manifest = await readManifest(unpacked, manifestFile);
    const { module_name: name, module_version: version } = manifest;
    const { hash, publisher = null, bytes } = unpacked;
    writeRecord(options.folder, { name, version, hash, publisher, bytes, stored_at: Date.now() });
    syncTree(options.folder);
    return { ok: true, unpacked, manifest };
  } catch (error) {
    if (error instanceof PackageError) return { ok: false, fault: error.fault, issues: error.issues };
    throw error;
  }
}

/** Boundary: nobody has accepted this text yet, so it is read here, where there is a deadline. */
async function readManifest({ config }: UnpackedPackage, manifestFile: string): Promise<Manifest> {
  const reader: { readonly parseManifest: ParseManifestText } = await import(manifestFile);
  const read = reader.parseManifest(config, CONFIG_FILE);
  if (!read.ok) throw new PackageError('refused', read.issues.slice(0, PACKAGE_BOUNDS.issues).map(manifestIssue));
  return read.manifest;
}

function manifestIssue({ file, line, column, key, message }: YamlIssue): PackageIssue {
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  return { path: key === '' ? place : `${place} ${key}`, message };
}
