/** Runs in a chore thread: bundles, and sends the issues back as data, since an error would lose them on the way. */
import { type Bundle, type BundleOptions, bundleModule } from './bundle.ts';
import { BundleError, type BundleIssue } from './bundle-error.ts';

export type BundleOutcome = { ok: true; bundle: Bundle } | { ok: false; issues: readonly BundleIssue[] };

// Piscina calls the default export of the file.
export default async function bundleInThread(options: BundleOptions): Promise<BundleOutcome> {
  try {
    return { ok: true, bundle: await bundleModule(options) };
  } catch (error) {
    if (error instanceof BundleError) return { ok: false, issues: error.issues };
    throw error;
  }
}
