/** One change of a module's life after the other: who asks while one is under way is told to ask again. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

export class OneAtATime {
  readonly #last = new Map<string, Promise<unknown>>();

  /** @throws PlexiError MODULE_UNAVAILABLE when another change of it is under way, and whatever the work throws */
  take<Outcome>(module: string, work: () => Promise<Outcome>): Promise<Outcome> {
    if (!this.#last.has(module)) return this.wait(module, work);
    const message = `${module} is just being changed by somebody else; ask again in a moment.`;
    return Promise.reject(new PlexiError('MODULE_UNAVAILABLE', message, { headers: { 'retry-after': '3' } }));
  }

  /** For the host's own changes: behind what is under way. */
  wait<Outcome>(module: string, work: () => Promise<Outcome>): Promise<Outcome> {
    const done = (this.#last.get(module) ?? Promise.resolve()).then(work);
    const settled = done
      .catch(() => {})
      .then(() => {
        if (this.#last.get(module) === settled) this.#last.delete(module);
      });
    this.#last.set(module, settled);
    return done;
  }

  /** What is under way has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
