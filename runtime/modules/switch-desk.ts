/** Operators switch modules: on and off for good, or down and up until they say otherwise. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { HostedModule } from './hosted-module.ts';
import type { LifeLoading } from './life-loading.ts';
import { IDLE } from './load-again.ts';
import type { ModuleBook } from './module-book.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import { assertNobodyNeeds, refused } from './refusals.ts';
import type { Registry } from './registry.ts';
import type { ServedModule } from './served-module.ts';
import { settledWithin } from './settled-within.ts';

export interface SwitchDeskOptions {
  readonly registry: Registry;
  readonly book: ModuleBook;
  readonly loading: LifeLoading;
  readonly turns: OneAtATime;
  /** For what runs when a module is stopped. */
  readonly drainMs: number;
  readonly onFailure: (module: string, error: unknown) => void;
}

export const SWITCHES = ['enable', 'disable', 'start', 'stop', 'restart'] as const;
export type Switch = (typeof SWITCHES)[number];

/** An answer may come before the module is where it shall be; it says in which state it is. */
const ANSWER_MS = 20_000;

export class SwitchDesk {
  readonly #options: SwitchDeskOptions;

  constructor(options: SwitchDeskOptions) {
    this.#options = options;
  }

  /** @throws PlexiError NOT_FOUND, INVALID_INPUT, MODULE_UNAVAILABLE, STATE_UNAVAILABLE */
  async do(name: string, what: Switch): Promise<ServedModule> {
    const { turns, registry, onFailure } = this.#options;
    this.#get(name);
    let isLate = false;
    const work = turns.take(name, () => this.#steps[what](name));
    const failure = Promise.withResolvers<never>();
    const watched = work.catch((error: unknown) => {
      if (isLate) onFailure(name, error);
      else failure.reject(error);
    });
    await Promise.race([settledWithin(watched, ANSWER_MS), failure.promise]);
    isLate = true;
    return registry.get(name) ?? this.#get(name);
  }

  readonly #steps: Readonly<Record<Switch, (name: string) => Promise<void>>> = {
    enable: async (name) => {
      await this.#options.book.switch(name, true);
      await this.#options.loading.loadAgain(name, false);
    },
    disable: async (name) => {
      const { book, loading, registry } = this.#options;
      assertNobodyNeeds(name, registry.list(), 'disabled');
      const written = await Promise.allSettled([book.switch(name, false)]);
      // Boundary: at rest from here on, also when nobody can write down that it shall stay so.
      await loading.rest(name, 'An operator disabled it.');
      for (const each of written) if (each.status === 'rejected') throw each.reason;
    },
    start: async (name) => {
      const { state } = this.#get(name);
      if (state === 'disabled') throw refused(`${name} is disabled: enable it first.`);
      await this.#options.loading.loadAgain(name, state === 'stopped' || state === 'parked');
      await this.#boot(name);
    },
    stop: async (name) => {
      const module = this.#get(name);
      if (!(module instanceof HostedModule)) throw refused(`${name} is ${module.state}: nothing of it runs.`);
      await module.stop(this.#options.drainMs);
    },
    restart: async (name) => {
      const { state } = this.#get(name);
      if (state === 'disabled') throw refused(`${name} is disabled: enable it first.`);
      await this.#options.loading.loadAgain(name, !IDLE.has(state));
      await this.#boot(name);
    },
  };

  /** What keeps it from booting is in its reasons. */
  async #boot(name: string): Promise<void> {
    const module = this.#options.registry.get(name);
    if (module instanceof HostedModule) await module.start().catch(() => {});
  }

  #get(name: string): ServedModule {
    const module = this.#options.registry.get(name);
    if (module !== undefined) return module;
    throw new PlexiError('NOT_FOUND', `There is no module ${name}; GET /api/v1/modules lists those there are.`);
  }
}
