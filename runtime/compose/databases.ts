/** The databases of this host's modules: where they are, what holds their cells, what the operator hears of them. */
import { join } from 'node:path';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import type { CellFiles } from '../cells/build.ts';
import type { OpenJail } from '../cells/jail/probe-jail.ts';
import type { HostSettings } from '../config/settings-schema.ts';
import { DataProcess } from '../databases/data-process.ts';
import { Databases } from '../databases/databases.ts';
import type { Logger } from '../observability/log.ts';
import { printable } from '../observability/printable.ts';

export interface DatabaseParts {
  readonly files: CellFiles;
  readonly jail: OpenJail;
  readonly dataFolder: string;
  readonly log: Logger;
}

const FOLDER = 'databases';

/** Starts nothing before the first module with a database. */
export function openDatabases(
  { databases: settings }: HostSettings,
  { files, jail, dataFolder, log }: DatabaseParts,
): Databases {
  const folder = join(dataFolder, FOLDER);
  return new Databases({
    folder,
    deadlineMs: settings.query_seconds * 1000,
    transactionMs: settings.transaction_seconds * 1000,
    start: (events) =>
      new DataProcess({
        files,
        jail,
        folder,
        memoryMb: settings.memory_mb,
        onNoise: (text) => log.warn({ cell: printable(text) }, 'a data cell printed'),
        ...events,
      }),
    onBlame: (module, why) => log.warn({ module, why: printable(why) }, 'a data cell ended at a statement of a module'),
    onTrouble: (words) => log.error({ why: printable(words) }, 'a data cell ended, or could not be started'),
  });
}

/** Creates and migrates the tables of a module that has some. @throws PlexiError that says what would be lost */
export async function openDatabaseOf(
  databases: Pick<Databases, 'declare'>,
  { module_name, database: { enabled, tables, quota_mb } }: Manifest,
  { databases: { max_quota_mb } }: Pick<HostSettings, 'databases'>,
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  if (!enabled) return;
  // Boundary: the manifest is the module's own word.
  const quotaMb = Math.min(quota_mb, max_quota_mb);
  if (quotaMb < quota_mb) {
    const words = `database.quota_mb of config.yaml asks for ${quota_mb} MB; it gets ${max_quota_mb}, as databases.max_quota_mb of the host allows`;
    log.warn({ module: module_name }, words);
  }
  await databases.declare(module_name, { tables, quotaMb });
}
