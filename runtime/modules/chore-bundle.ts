/** Runs in a chore thread: bundles, and sends the issues back as data, since an error would lose them on the way. */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { stop } from 'esbuild';
import { type Bundle, type BundleOptions, bundleModule } from './bundle.ts';
import { BundleError, type BundleIssue } from './bundle-error.ts';

export type BundleOutcome = { ok: true; bundle: Bundle } | { ok: false; issues: readonly BundleIssue[] };

export interface BundleTask extends BundleOptions {
  /** Gets the process id of each child that this work starts, so that the host can end it when it ends the thread. */
  readonly children: MessagePort;
}

let children: MessagePort | undefined;
let running: ChildProcess | undefined;
subscribe('child_process', (message) => {
  const { process: child } = message as { process: ChildProcess };
  running = child;
  // The channel speaks before the child has been started.
  const port = children;
  queueMicrotask(() => port?.postMessage(child.pid));
});

// Piscina calls the default export of the file.
export default async function bundleInThread({ children: port, ...options }: BundleTask): Promise<BundleOutcome> {
  children = port;
  try {
    return { ok: true, bundle: await bundleModule(options) };
  } catch (error) {
    if (error instanceof BundleError) return { ok: false, issues: error.issues };
    throw error;
  } finally {
    // The bundler's process lives no longer than the work: idle it would hold its memory, dying threads leave it behind.
    await stop();
    await ended(running);
    port.close();
  }
}

/** A thread that waits for work does not hear that its child ended; the dead process would stay in the table. */
async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  await once(child, 'exit');
}
