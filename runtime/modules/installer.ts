/** Packages become modules, and versions take each other's place: install, upgrade, roll back. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { formatPermission } from '../capabilities/permission.ts';
import type { PackageStore, Staged } from '../packages/package-store.ts';
import type { DiscoveredFolder, FoundModule } from './discover.ts';
import type { GrantBook } from './grant-book.ts';
import { HostedModule } from './hosted-module.ts';
import { createLoadingModule } from './idle-module.ts';
import { assertPrefixFree, type JudgeOptions, judgePackage } from './judge-package.ts';
import type { LifeLoading } from './life-loading.ts';
import type { InstalledModule } from './module-book.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import { refused, toProblem } from './refusals.ts';
import type { ModuleState, ServedModule } from './served-module.ts';
import { findTableProblems } from './tables-in-force.ts';
import { Trials } from './trial.ts';

export interface InstallerOptions extends JudgeOptions {
  readonly grants: GrantBook;
  readonly packages: PackageStore;
  readonly loading: LifeLoading;
  readonly turns: OneAtATime;
  /** How long a version that has taken over is on trial. */
  readonly trialMs: number;
  /** Reads the module of a folder. */
  readonly find: (folder: string) => Promise<DiscoveredFolder>;
  /** For operators: what the host did by itself. */
  readonly onNotice: (module: string, message: string) => void;
  readonly onFailure: (module: string, error: unknown) => void;
  readonly now?: () => number;
}

/**
 * - `installed`: it was not there before
 * - `upgraded`: it has taken the place of another version
 * - `pending`: it will, once everything is granted
 * - `unchanged`: it was in force already
 */
export type InstallOutcome = 'installed' | 'upgraded' | 'pending' | 'unchanged';

export interface Installed {
  readonly name: string;
  readonly version: string;
  readonly outcome: InstallOutcome;
}

export interface VersionView {
  readonly version: string;
  readonly role: 'in_force' | 'previous' | 'waits' | 'kept';
  readonly publisher: string | null;
  readonly bytes: number | null;
  readonly stored_at: string | null;
}

interface Move {
  readonly trialMs: number | undefined;
  readonly notice?: readonly string[];
}

export class Installer {
  readonly #options: InstallerOptions;
  readonly #now: () => number;
  readonly #trials: Trials;
  /** What each version that waits for its operator asks for; by module. */
  readonly #candidates = new Map<string, Manifest>();
  readonly #unfollow: () => void;

  constructor(options: InstallerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const { registry, turns } = options;
    this.#trials = new Trials({
      registry,
      now: this.#now,
      onFailed: (name, reason) =>
        void turns
          .wait(name, () => this.#giveUp(name, reason))
          .catch((error: unknown) => options.onFailure(name, error)),
      onPassed: (name) =>
        void turns.wait(name, () => this.#endTrial(name)).catch((error: unknown) => options.onFailure(name, error)),
    });
    this.#unfollow = registry.onChange((module, from) => {
      // A fresh module knows nothing of the version that waits.
      if (from === undefined) this.#mark(module.name);
    });
  }

  /** The version that waits for its operator. */
  candidate(name: string): Manifest | undefined {
    return this.#candidates.get(name);
  }

  /** Of any module. */
  readonly crashed: Trials['crashed'] = (module, reasons) => this.#trials.crashed(module, reasons);

  /** @throws PlexiError INVALID_INPUT, PAYLOAD_TOO_LARGE, MODULE_UNAVAILABLE, STATE_UNAVAILABLE */
  async install(bytes: AsyncIterable<Uint8Array>, operator: string, signal?: AbortSignal): Promise<Installed> {
    const { packages, turns } = this.#options;
    const staged = await packages.stage(bytes, signal).catch((error: unknown) => {
      throw toProblem(error);
    });
    let isCommitted = false;
    try {
      return await turns.take(staged.name, async () => {
        const publisher = judgePackage(staged, this.#options);
        const isKnown = packages.folderOf(staged.name, staged.version) !== undefined;
        await packages.commit(staged).catch((error: unknown) => {
          throw toProblem(error);
        });
        isCommitted = true;
        try {
          return await this.#settle(staged, publisher, operator);
        } catch (error) {
          // Nobody has ever used it, and its author may mend it under the same number.
          if (!isKnown && error instanceof PlexiError && error.code === 'INVALID_INPUT')
            await packages.remove(staged.name, staged.version);
          throw error;
        }
      });
    } finally {
      if (!isCommitted) await packages.drop(staged);
    }
  }

  /** @throws PlexiError NOT_FOUND, INVALID_INPUT, MODULE_UNAVAILABLE, STATE_UNAVAILABLE */
  rollBack(name: string, version: string): Promise<Installed> {
    return this.#options.turns.take(name, async () => {
      const row = this.#rowOf(name);
      if (version === row.version && row.candidate === undefined)
        throw refused(`${name} ${version} is in force already.`);
      if (version === row.version) {
        await this.#takeBack(name);
        return { name, version, outcome: 'unchanged' };
      }
      const outcome = await this.#bringIn(row, await this.#find(name, version), { trialMs: undefined });
      return { name, version, outcome };
    });
  }

  /** Newest first; of a module of the folder the one that there is. */
  versions({ name, version }: Pick<ServedModule, 'name' | 'version'>): readonly VersionView[] {
    const { book, loading } = this.#options;
    const row = loading.isShadowed(name) ? undefined : book.get(name);
    if (row === undefined) return [{ version, role: 'in_force', publisher: null, bytes: null, stored_at: null }];
    return this.#options.packages.versions(name).map((stored) => ({
      version: stored.version,
      role: roleOf(row, stored.version),
      publisher: stored.publisher ?? null,
      bytes: stored.bytes,
      stored_at: new Date(stored.storedAt).toISOString(),
    }));
  }

  /** Something was granted to it: what waited for that goes on by itself. */
  async resume(name: string): Promise<void> {
    const { turns, grants, loading } = this.#options;
    const candidate = this.#candidates.get(name);
    if (candidate === undefined) return loading.loadAgain(name, false);
    if (grants.missing(candidate).length > 0) return;
    await turns.wait(name, async () => {
      const row = this.#options.book.get(name);
      if (row?.candidate !== candidate.module_version) return;
      const found = await this.#find(name, row.candidate);
      await this.#bringIn(row, found, { trialMs: this.#options.trialMs });
    });
  }

  /** Once, when all modules were loaded: what was under way when the host ended goes on. */
  async start(): Promise<void> {
    const { book, loading, onFailure, registry } = this.#options;
    for (const row of book.installed) {
      const { module: name, candidate, trialUntil } = row;
      if (loading.isShadowed(name)) continue;
      try {
        if (candidate !== undefined) {
          const { manifest } = await this.#find(name, candidate);
          this.#candidates.set(name, manifest);
          this.#mark(name);
          await this.resume(name);
        }
        if (trialUntil === undefined) continue;
        const state = registry.get(name)?.state;
        if (this.#now() < trialUntil && state === 'failed') {
          const reasons = registry.get(name)?.reasons ?? [];
          await this.#options.turns.wait(name, () =>
            this.#giveUp(name, `it could not be loaded: ${reasons.join(' ')}`),
          );
        } else this.#trials.begin(name, row.version, trialUntil);
      } catch (error) {
        onFailure(name, error);
      }
    }
  }

  /** Nothing of it is on trial or waits any more. */
  forget(name: string): void {
    this.#trials.end(name);
    this.#candidates.delete(name);
  }

  close(): void {
    this.#trials.close();
    this.#unfollow();
  }

  async #settle({ name, version }: Staged, publisher: string | undefined, operator: string): Promise<Installed> {
    const { book, registry, loading } = this.#options;
    const row = book.get(name);
    if (row === undefined) {
      const none = { previous: undefined, candidate: undefined, trialUntil: undefined, removedAt: undefined };
      const tablesOf = book.trace(name)?.tablesOf;
      const { manifest, folder } = await this.#find(name, version);
      // Once more: the environment may have given it another one.
      assertPrefixFree(manifest, registry);
      const by = { publisher, installedAt: this.#now(), installedBy: operator };
      await book.put({ module: name, version, ...none, tablesOf, ...by });
      loading.place(name, folder);
      registry.add(createLoadingModule(manifest));
      await loading.loadAgain(name, false);
      return { name, version, outcome: 'installed' };
    }
    if (row.version === version) {
      await this.#takeBack(name);
      return { name, version, outcome: 'unchanged' };
    }
    const outcome = await this.#bringIn(row, await this.#find(name, version), { trialMs: this.#options.trialMs });
    if (outcome !== 'pending') await book.change(name, { installedBy: operator });
    return { name, version, outcome };
  }

  /** @throws PlexiError INVALID_INPUT that says what keeps it; nothing has changed then */
  async #bringIn(row: InstalledModule, found: FoundModule, { trialMs, notice }: Move): Promise<'upgraded' | 'pending'> {
    const { registry, grants, book, loading, packages } = this.#options;
    const { module: name } = row;
    const version = found.manifest.module_version;
    assertPrefixFree(found.manifest, registry);
    const served = registry.get(name);
    const lost = served === undefined ? [] : findTableProblems(served.manifest, found.manifest);
    if (lost.length > 0) throw refused(`${name} ${version} cannot have the database of ${row.version}.`, lost);
    const trialUntil = trialMs === undefined ? undefined : this.#now() + trialMs;
    // Boundary: a publisher is kept for the name once a version of theirs is in force, and not before.
    const publisher = row.publisher ?? packages.versions(name).find((one) => one.version === version)?.publisher;
    const changes = { version, previous: row.version, candidate: undefined, tablesOf: undefined, publisher };
    if (served === undefined || !SERVES.has(served.state)) {
      await book.change(name, { ...changes, trialUntil: undefined });
      this.forget(name);
      loading.place(name, found.folder);
      // The version before could not even be read.
      if (served === undefined) registry.remove(name);
      // Nothing of the version before is left that could go on when this one cannot be loaded.
      if (served === undefined || served.state === 'stopped') registry.add(createLoadingModule(found.manifest));
      await loading.loadAgain(name, false);
      const fresh = registry.get(name);
      if (served?.state === 'stopped' && fresh instanceof HostedModule) await fresh.stop(0);
      return 'upgraded';
    }
    if (grants.missing(found.manifest).length > 0) {
      await book.change(name, { candidate: version });
      this.#candidates.set(name, found.manifest);
      this.#mark(name);
      return 'pending';
    }
    const enforce = async (): Promise<void> => {
      await book.change(name, { ...changes, trialUntil });
      this.forget(name);
    };
    const problems = await loading.upgrade(found, notice === undefined ? { enforce } : { enforce, notice });
    if (problems !== undefined) {
      throw refused(`${name} ${version} does not take over, and ${row.version} goes on.`, problems);
    }
    if (trialUntil !== undefined) this.#trials.begin(name, version, trialUntil);
    return 'upgraded';
  }

  /** It failed while it was on trial. */
  async #giveUp(name: string, reason: string): Promise<void> {
    const { book, onNotice } = this.#options;
    const row = book.get(name);
    if (row?.trialUntil === undefined) return;
    const { version, previous } = row;
    this.#trials.end(name);
    if (previous === undefined) return this.#endTrial(name);
    const words = `${version} was rolled back to ${previous}: ${reason}`;
    try {
      await this.#bringIn(row, await this.#find(name, previous), { trialMs: undefined, notice: [words] });
      onNotice(name, words);
    } catch (error) {
      await this.#endTrial(name);
      const { message } = error instanceof Error ? error : new Error(String(error));
      onNotice(name, `${version} failed (${reason}) and could not be rolled back to ${previous}: ${message}`);
    }
  }

  async #endTrial(name: string): Promise<void> {
    if (this.#options.book.get(name) !== undefined) await this.#options.book.change(name, { trialUntil: undefined });
  }

  /** Nothing waits any more: the version in force stays. */
  async #takeBack(name: string): Promise<void> {
    if (this.#options.book.get(name)?.candidate === undefined) return;
    await this.#options.book.change(name, { candidate: undefined });
    this.#candidates.delete(name);
    this.#mark(name);
  }

  #mark(name: string): void {
    const { registry, grants } = this.#options;
    const module = registry.get(name);
    if (!(module instanceof HostedModule)) return;
    const candidate = this.#candidates.get(name);
    if (candidate === undefined) {
      module.standing.markPending(undefined);
      return;
    }
    const missing = grants.missing(candidate).map(formatPermission);
    module.standing.markPending([`${candidate.module_version} waits for what it asks for: ${missing.join(', ')}.`]);
  }

  /** @throws PlexiError INVALID_INPUT */
  #rowOf(name: string): InstalledModule {
    const { book, loading } = this.#options;
    const row = book.get(name);
    if (row !== undefined && !loading.isShadowed(name)) return row;
    throw refused(`${name} was not installed from a package, so it has one version: what is in its folder.`);
  }

  /** @throws PlexiError NOT_FOUND-like words of INVALID_INPUT */
  async #find(name: string, version: string): Promise<FoundModule> {
    const { packages, find } = this.#options;
    const folder = packages.folderOf(name, version);
    if (folder === undefined) {
      const kept = packages.versions(name).map((one) => one.version);
      throw refused(`${name} ${version} is not kept here; versions: ${kept.join(', ') || 'none'}.`);
    }
    const found = await find(folder);
    if (!found.ok) throw refused(`${name} ${version} cannot be read.`, found.reasons);
    if (found.name === name && found.manifest.module_version === version) return found;
    throw refused(`What is kept as ${name} ${version} says that it is ${found.name} ${found.manifest.module_version}.`);
  }
}

/** Others are served by it, so it goes on until the next one has answered. */
const SERVES: ReadonlySet<ModuleState> = new Set<ModuleState>([
  'sleeping',
  'starting',
  'running',
  'draining',
  'crashed',
  'parked',
  'upgrade_pending',
]);

function roleOf({ version, previous, candidate }: InstalledModule, one: string): VersionView['role'] {
  if (one === version) return 'in_force';
  if (one === candidate) return 'waits';
  return one === previous ? 'previous' : 'kept';
}
