/** Which grants are used: counted at every call, so in memory, and written now and then. */
import { formatPermission, type Permission } from '../capabilities/permission.ts';
import type { GrantUse } from './grant-store.ts';

export interface GrantUsesOptions {
  readonly known: readonly GrantUse[];
  readonly write: (uses: readonly GrantUse[]) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
  readonly now?: () => number;
  readonly writeEveryMs?: number;
}

interface Counter {
  readonly module: string;
  readonly permission: string;
  uses: number;
  lastUsedAt: number;
  /** Of `uses`, what is not written yet. */
  unwritten: number;
}

const WRITE_EVERY_MS = 30_000;

export class GrantUses {
  readonly #options: GrantUsesOptions;
  readonly #now: () => number;
  readonly #counters = new Map<string, Counter>();
  /** A grant in force is one object for as long as it is: no text is made for each call. */
  readonly #byGrant = new WeakMap<Permission, Counter>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: GrantUsesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    for (const use of options.known) {
      this.#counters.set(keyOf(use.module, use.permission), { ...use, unwritten: 0 });
    }
  }

  /** Called at every call of a capability. */
  note(module: string, grant: Permission): void {
    const counter = this.#byGrant.get(grant) ?? this.#counterOf(module, grant);
    counter.uses += 1;
    counter.unwritten += 1;
    counter.lastUsedAt = this.#now();
    this.#timer ??= setTimeout(() => void this.#write(), this.#options.writeEveryMs ?? WRITE_EVERY_MS).unref();
  }

  of(module: string, permission: string): Pick<GrantUse, 'uses' | 'lastUsedAt'> | undefined {
    return this.#counters.get(keyOf(module, permission));
  }

  async close(): Promise<void> {
    await this.#write();
  }

  #counterOf(module: string, grant: Permission): Counter {
    const permission = formatPermission(grant);
    const key = keyOf(module, permission);
    const counter = this.#counters.get(key) ?? { module, permission, uses: 0, lastUsedAt: 0, unwritten: 0 };
    this.#counters.set(key, counter);
    this.#byGrant.set(grant, counter);
    return counter;
  }

  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(async () => {
      const changed = [...this.#counters.values()].filter(({ unwritten }) => unwritten > 0);
      if (changed.length === 0) return;
      const uses = changed.map(({ module, permission, unwritten, lastUsedAt }) => {
        return { module, permission, uses: unwritten, lastUsedAt };
      });
      for (const counter of changed) counter.unwritten = 0;
      try {
        await this.#options.write(uses);
      } catch (error) {
        this.#options.onFailure(error);
        for (const [index, counter] of changed.entries()) counter.unwritten += uses[index]?.uses ?? 0;
      }
    });
    return this.#writing;
  }
}

function keyOf(module: string, permission: string): string {
  return `${module}\n${permission}`;
}
