/** The modules of this host: those of the operator's folder, and the version in force of each that was installed. */
import { type DiscoveredFolder, discoverModule, discoverModules } from './discover.ts';

export interface FindOptions {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The folder of each installed module; none without it. */
  readonly installed?: () => ReadonlyMap<string, string>;
  /** A module of the directory has the name of this one, which was installed: that of the directory is served. */
  readonly onShadowed?: (module: string) => void;
  /** The operator's word; undefined: what config.yaml says. */
  readonly isEnabled?: (module: string) => boolean | undefined;
  readonly onWarning: (module: string, message: string) => void;
}

/** @throws Error when the directory itself cannot be read */
export async function findModules(options: FindOptions): Promise<DiscoveredFolder[]> {
  const { directory, environment, installed, onWarning } = options;
  const found = await discoverModules(directory, { environment });
  for (const [name, folder] of installed?.() ?? []) {
    if (found.some((other) => other.name === name)) {
      options.onShadowed?.(name);
      onWarning(name, `is installed, but ${directory} has a module of that name, which is served.`);
      continue;
    }
    found.push(named(name, await discoverModule(folder, { environment })));
  }
  return found.map((folder) => withWord(folder, options));
}

/** One of them, as its folder is now. */
export async function findModule(folder: string, options: FindOptions): Promise<DiscoveredFolder> {
  return withWord(await discoverModule(folder, { environment: options.environment }), options);
}

export function whyDisabled(module: string, { isEnabled }: Pick<FindOptions, 'isEnabled'>): string {
  return isEnabled?.(module) === false ? 'An operator disabled it.' : 'config.yaml says enabled: false';
}

function withWord(found: DiscoveredFolder, { isEnabled }: FindOptions): DiscoveredFolder {
  const word = found.ok ? isEnabled?.(found.name) : undefined;
  if (!found.ok || word === undefined) return found;
  return { ...found, manifest: { ...found.manifest, enabled: word } };
}

/** Boundary: what lies where a version of one module should be is never served as another. */
function named(name: string, found: DiscoveredFolder): DiscoveredFolder {
  if (found.name === name || !found.ok) return found.ok ? found : { ...found, name };
  const reasons = [`Its package says that it is ${found.name}.`];
  return { ok: false, folder: found.folder, name, reasons, issues: [] };
}
