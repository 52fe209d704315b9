/** Tells every thread of a module that its settings are others now, also those that are just starting. */
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import type { Instance } from '../cells/instance.ts';
import type { ServedModule } from './served-module.ts';

/** For onSettingsChanged, in each thread. */
const HOOK_MS = 5_000;

export class LiveSettings {
  /** By the manifest that they were started with: two versions of a module may run at once. */
  readonly #threads = new WeakMap<Manifest, Set<Instance>>();

  started(manifest: Manifest, thread: Instance): Instance {
    const threads = this.#threads.get(manifest) ?? new Set();
    this.#threads.set(manifest, threads.add(thread));
    void thread.ended.then(() => threads.delete(thread));
    return thread;
  }

  /** Threads that start from now on start with them. @throws what one of those that run said to it */
  async change({ manifest }: Pick<ServedModule, 'manifest'>, settings: Manifest['settings']): Promise<void> {
    manifest.settings = settings;
    const text = JSON.stringify(settings);
    const tell = async (thread: Instance): Promise<void> => {
      try {
        await thread.changeSettings(text, HOOK_MS);
      } catch (error) {
        // One that has ended needs to know nothing: whatever comes in its place does.
        if (thread.alive) throw error;
      }
    };
    const told = await Promise.allSettled([...(this.#threads.get(manifest) ?? [])].map(tell));
    const failed = told.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
