/** Takes modules out, and purges what they have left behind: at once when asked to, else after some weeks. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { PackageStore } from '../packages/package-store.ts';
import type { GrantBook } from './grant-book.ts';
import type { LifeLoading } from './life-loading.ts';
import type { ModuleBook } from './module-book.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import { assertNobodyNeeds, refused } from './refusals.ts';
import type { Registry } from './registry.ts';

export interface RemoverOptions {
  readonly registry: Registry;
  readonly book: ModuleBook;
  readonly grants: Pick<GrantBook, 'forget'>;
  readonly packages: Pick<PackageStore, 'versions' | 'remove'>;
  readonly loading: Pick<LifeLoading, 'isShadowed' | 'rest' | 'takeOut'>;
  readonly turns: OneAtATime;
  /** Each forgets all that it keeps for a module, and does nothing when there is nothing. */
  readonly purges: readonly ((module: string) => Promise<void>)[];
  readonly onRemoved: (module: string) => void;
  readonly onPurged: (module: string) => void;
  readonly onFailure: (module: string, error: unknown) => void;
  /** How long data is kept. */
  readonly keepMs?: number;
  readonly now?: () => number;
}

export interface Removed {
  readonly name: string;
  readonly state: 'removed';
  /** Until when its data is kept; nothing when it is gone. */
  readonly dataUntil: number | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
export const KEEP_MS = 30 * DAY_MS;

export class Remover {
  readonly #options: RemoverOptions;
  readonly #now: () => number;
  readonly #keepMs: number;

  constructor(options: RemoverOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#keepMs = options.keepMs ?? KEEP_MS;
  }

  /** @throws PlexiError NOT_FOUND, INVALID_INPUT when others need it, MODULE_UNAVAILABLE, STATE_UNAVAILABLE */
  remove(name: string, isPurge: boolean): Promise<Removed> {
    const { registry, book, loading, turns, onRemoved } = this.#options;
    return turns.take(name, async () => {
      if (book.get(name) !== undefined && !loading.isShadowed(name)) {
        assertNobodyNeeds(name, registry.list(), 'removed');
        // First: a host that dies now does not bring it back.
        await book.change(name, { removedAt: this.#now(), candidate: undefined, trialUntil: undefined });
        onRemoved(name);
        await loading.rest(name, 'It was removed.');
        await loading.takeOut(name);
      } else if (registry.knows(name)) {
        throw refused(`${name} is a folder of the folder of modules: take it out there.`);
      } else if (book.trace(name) === undefined || !isPurge) {
        throw new PlexiError('NOT_FOUND', `There is no module ${name}; GET /api/v1/modules lists those there are.`);
      }
      if (isPurge) await this.#purge(name);
      const row = book.trace(name);
      return {
        name,
        state: 'removed',
        dataUntil: row?.removedAt === undefined ? undefined : row.removedAt + this.#keepMs,
      };
    });
  }

  /** Purges what was kept for long enough. Call now and then; what fails is tried again. */
  async sweep(): Promise<void> {
    const { book, turns, onFailure } = this.#options;
    for (const { module, removedAt = 0 } of book.removed) {
      if (this.#now() - removedAt < this.#keepMs) continue;
      await turns.wait(module, () => this.#purge(module)).catch((error: unknown) => onFailure(module, error));
    }
  }

  async #purge(name: string): Promise<void> {
    const { registry, book, grants, packages, purges, onPurged } = this.#options;
    // It may have been installed again meanwhile.
    if (book.trace(name)?.removedAt === undefined) return;
    // A folder of that name is there now, be it one that cannot be read: what is kept under the name is that module's.
    if (!registry.knows(name)) {
      for (const purge of purges) await purge(name);
      await grants.forget(name);
    }
    for (const { version } of packages.versions(name)) await packages.remove(name, version);
    // Last: what failed before this is found and tried again.
    await book.forget(name);
    onPurged(name);
  }
}
