/**
 * Whose tables a module's database has. A new version changes them before it takes over, since it may need them while it
 * boots; when it fails then, and the change cannot be undone, the old version goes on with the tables of the new one,
 * which only add to its own.
 */

import { planMigration } from '@plexichat/sdk/database/plan-migration';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import type { ModuleBook } from './module-book.ts';

export interface TablesOptions {
  readonly book: Pick<ModuleBook, 'get' | 'change'>;
  /** @throws Error that says what would be lost */
  readonly open: (manifest: Manifest) => Promise<void>;
  /** The manifest of an installed version. */
  readonly manifestOf: (module: string, version: string) => Promise<Manifest | undefined>;
  readonly onWarning: (module: string, message: string) => void;
}

export class TablesInForce {
  readonly #options: TablesOptions;

  constructor(options: TablesOptions) {
    this.#options = options;
  }

  /** For the version in force. @throws Error that says what would be lost */
  async open(manifest: Manifest): Promise<void> {
    const { module_name: name, module_version: version } = manifest;
    const { book, open, manifestOf } = this.#options;
    const tablesOf = book.get(name)?.tablesOf;
    if (tablesOf === undefined) return open(manifest);
    const ahead = tablesOf === version ? undefined : await manifestOf(name, tablesOf);
    try {
      await open(manifest);
      await book.change(name, { tablesOf: undefined });
    } catch (error) {
      if (ahead === undefined) throw error;
      await open({ ...manifest, database: ahead.database });
    }
  }

  /** For a version that is about to take over. @throws Error that says what would be lost */
  async openFor(next: Manifest): Promise<void> {
    const { module_name: name, module_version: version } = next;
    const { book, open } = this.#options;
    // First, so that it is known after a crash whose tables these may be.
    if (next.database.enabled && book.get(name) !== undefined) await book.change(name, { tablesOf: version });
    await open(next);
  }

  /** The version that was about to take over did not. Never rejects. */
  async goBack(manifest: Manifest): Promise<void> {
    const { module_name: name } = manifest;
    if (this.#options.book.get(name)?.tablesOf === undefined) return;
    await this.open(manifest).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.onWarning(name, `its database could not be opened as it was: ${why}`);
    });
  }
}

/** Why the tables of one version cannot become those of another; nothing when they can. */
export function findTableProblems(from: Manifest, to: Manifest): readonly string[] {
  if (!from.database.enabled || !to.database.enabled) return [];
  return planMigration(from.database.tables, to.database.tables).problems;
}
