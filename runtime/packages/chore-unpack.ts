/** Runs in a chore thread: unpacks, and sends what is wrong back as data, since an error would lose it on the way. */
import { PackageError, type PackageFault, type PackageIssue } from './package-error.ts';
import { type UnpackedPackage, type UnpackOptions, unpackPackage } from './unpack.ts';

export type UnpackOutcome =
  | { readonly ok: true; readonly unpacked: UnpackedPackage }
  | { readonly ok: false; readonly fault: PackageFault; readonly issues: readonly PackageIssue[] };

// Piscina calls the default export of the file.
export default async function unpackInThread(options: UnpackOptions): Promise<UnpackOutcome> {
  try {
    return { ok: true, unpacked: await unpackPackage(options) };
  } catch (error) {
    if (error instanceof PackageError) return { ok: false, fault: error.fault, issues: error.issues };
    throw error;
  }
}
