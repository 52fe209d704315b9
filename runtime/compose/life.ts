/** The lives of modules, as operators steer them: packages, versions, switches, and what is left of those that are gone. */
import { join } from 'node:path';
import type { HostSettings } from '../config/settings-schema.ts';
import { findModule } from '../modules/find-modules.ts';
import { Installer } from '../modules/installer.ts';
import type { LifeLoading } from '../modules/life-loading.ts';
import { manifestFile } from '../modules/manifest.ts';
import { type ModuleBook, openModuleBook } from '../modules/module-book.ts';
import { OneAtATime } from '../modules/one-at-a-time.ts';
import type { Registry } from '../modules/registry.ts';
import { Remover, type RemoverOptions } from '../modules/remover.ts';
import { SwitchDesk } from '../modules/switch-desk.ts';
import type { Logger } from '../observability/log.ts';
import { printable } from '../observability/printable.ts';
import { openPackageStore, type PackageStore } from '../packages/package-store.ts';
import type { State } from '../state/state.ts';
import type { Security } from './security.ts';

export interface LifeParts extends Pick<RemoverOptions, 'purges'> {
  readonly registry: Registry;
  readonly book: ModuleBook;
  readonly packages: PackageStore;
  readonly security: Pick<Security, 'grants'>;
  readonly loading: LifeLoading;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly drainMs: number;
  readonly log: Logger;
}

export interface Life {
  readonly installer: Installer;
  readonly remover: Remover;
  readonly switches: SwitchDesk;
  /** Once all modules are loaded. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const SWEEP_MS = 60 * 60_000;

/** Makes no room for what operators may want back: the version in force, the one before, and the one that waits. */
function openPackages({ packages }: HostSettings, dataFolder: string, book: ModuleBook): Promise<PackageStore> {
  return openPackageStore({
    folder: join(dataFolder, 'packages'),
    manifestFile,
    maxVersions: packages.versions,
    maxTotalBytes: packages.total_mb * 1024 * 1024,
    mayRemove(name, version) {
      const row = book.trace(name);
      return ![row?.version, row?.previous, row?.candidate, row?.tablesOf].includes(version);
    },
  });
}

/** @throws PlexiError STATE_UNAVAILABLE, Error when the folder of packages cannot be used */
export async function openInstalled(
  settings: HostSettings,
  dataFolder: string,
  state: State,
): Promise<Pick<LifeParts, 'book' | 'packages'>> {
  const book = await openModuleBook(state);
  return { book, packages: await openPackages(settings, dataFolder, book) };
}

export function createLife(settings: HostSettings, parts: LifeParts): Life {
  const { registry, book, packages, security, loading, environment, drainMs, log } = parts;
  const turns = new OneAtATime();
  const onFailure = (module: string, error: unknown): void =>
    log.error({ module, err: error }, 'a change of its life failed');
  const isEnabled = (module: string): boolean | undefined => book.isEnabled(module);
  const onWarning = (module: string, message: string): void => log.warn({ module }, printable(message));
  const installer = new Installer({
    registry,
    grants: security.grants,
    book,
    packages,
    loading,
    turns,
    publishers: { publishers: settings.publishers, requireSignature: settings.packages.require_signature },
    trialMs: settings.upgrade.trial_seconds * 1000,
    find: (folder) => findModule(folder, { directory: settings.modules, environment, isEnabled, onWarning }),
    onNotice: (module, message) => log.warn({ module, audit: true, operator: 'host' }, printable(message)),
    onFailure,
  });
  const remover = new Remover({
    registry,
    book,
    grants: security.grants,
    packages,
    loading,
    turns,
    purges: parts.purges,
    onRemoved: (module) => installer.forget(module),
    onPurged: (module) => log.info({ module }, 'what was kept of a removed module is gone'),
    onFailure,
  });
  const sweep = (): void => void remover.sweep().catch((error: unknown) => onFailure('', error));
  let timer: NodeJS.Timeout | undefined;
  return {
    installer,
    remover,
    switches: new SwitchDesk({ registry, book, loading, turns, drainMs, onFailure }),
    async start() {
      await installer.start();
      sweep();
      timer = setInterval(sweep, SWEEP_MS).unref();
    },
    async close() {
      clearInterval(timer);
      installer.close();
      await turns.idle();
      await packages.close();
    },
  };
}
