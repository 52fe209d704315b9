/**
 * From a directory of folders to modules that can be served: read, order, bundle, check the grants, learn what each
 * declares. Whatever is wrong with one module is its own: it shows up as failed with its reasons, the others load.
 */
import type { Declaration } from '@plexichat/sdk/protocol/declaration';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { formatPermission, type Permission } from '../capabilities/permission.ts';
import { notCovered } from '../capabilities/permission-cover.ts';
import { describePermission } from '../capabilities/permission-words.ts';
import { printable } from '../observability/printable.ts';
import { BundleError, formatBundleIssue } from './bundle-error.ts';
import type { BundleStore } from './bundle-store.ts';
import type { Chores } from './chores.ts';
import type { FoundModule } from './discover.ts';
import { type FillSecrets, filled } from './fill-secrets.ts';
import { type FillSettings, withSettings } from './fill-settings.ts';
import { type FindOptions, findModules, whyDisabled } from './find-modules.ts';
import { type AskingManifest, readPermissions } from './grant-book.ts';
import { createIdleModule, createLoadingModule } from './idle-module.ts';
import { extendChain, orderModules } from './order.ts';
import type { Registry } from './registry.ts';
import { type SplitManifest, splitSecrets } from './secrets.ts';
import type { ModuleState, ServedModule } from './served-module.ts';
import { unservedParts } from './unserved-parts.ts';

/** A module whose code was checked. */
export interface CheckedModule extends SplitManifest {
  /** Names its bundle in the store. */
  readonly hash: string;
}

/** A module whose declaration is known too. */
export interface PreparedModule extends CheckedModule {
  readonly declaration: Declaration;
}

export interface LoadOptions extends FindOptions {
  /** This version of the module is the one in force. @returns what it was granted */
  readonly admit: (manifest: AskingManifest) => Promise<readonly Permission[]>;
  /** What is set for the module in the vault. */
  readonly fillSecrets: FillSecrets;
  /** What operators set for this version of the module. */
  readonly fillSettings?: FillSettings;
  /** Its tables are as it declares them from then on. @throws Error that says what keeps them from it */
  readonly openDatabase?: (manifest: Manifest) => Promise<void>;
  readonly chores: Chores;
  readonly store: BundleStore;
  readonly registry: Registry;
  readonly learn: (module: CheckedModule) => Promise<Declaration>;
  /** What keeps the declared endpoints from being served; nothing when they are fine. */
  readonly findProblems: (declaration: Declaration, manifest: Manifest) => readonly string[];
  /** The lower, the longer it has been there: it keeps its prefix. */
  readonly since?: (module: string) => number;
  readonly host: (module: PreparedModule) => ServedModule;
  /** Where else the settings name modules: setting → names. A name of no module is warned about. */
  readonly namedInSettings?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Fills the registry: at once with what there is, then one by one with what can be served.
 * @returns the folder of each module
 * @throws Error when the directory itself cannot be read
 */
export async function loadModules(options: LoadOptions): Promise<Map<string, string>> {
  const { registry, onWarning } = options;
  const found: FoundModule[] = [];
  for (const folder of await findModules(options)) {
    if (folder.ok) found.push(folder);
    else registry.addBroken(folder);
  }
  const { order, failures } = orderModules(
    found.map(({ manifest }) => manifest),
    options.since,
  );
  const byName = new Map(found.map((module) => [module.name, module]));
  for (const module of found) {
    const { name, manifest } = module;
    for (const warning of await stillWrong(module, options)) onWarning(name, warning.message);
    const failure = failures.get(name);
    if (failure !== undefined) registry.add(createIdleModule(manifest, 'failed', [failure]));
    else if (!manifest.enabled) registry.add(createIdleModule(manifest, 'disabled', [whyDisabled(name, options)]));
    else registry.add(createLoadingModule(manifest));
  }
  registry.announced();
  warnOfUnknownNames(options);
  // One after the other: dependencies first, and the chores' thread is one anyway.
  for (const name of order) {
    const module = byName.get(name);
    if (module !== undefined) registry.add(await loadModule(module, options));
  }
  return new Map(found.map(({ name, folder }) => [name, folder]));
}

/** One module whose dependencies were loaded before; never rejects. */
export async function loadModule(found: FoundModule, options: LoadOptions): Promise<ServedModule> {
  const { name, folder, manifest } = found;
  const missingDependency = findMissingDependency(manifest, options.registry);
  if (missingDependency !== undefined) {
    const { name: dependency, state, reasons } = missingDependency;
    const reason = extendChain(name, dependency, reasons[0] ?? `${dependency} is ${state}.`);
    return createIdleModule(manifest, state === 'installed' ? 'installed' : 'failed', [reason]);
  }
  try {
    const missing = notCovered(await options.admit(manifest), readPermissions(manifest.required_permissions));
    if (missing.length > 0) return createIdleModule(manifest, 'installed', missing.map(waitsFor));
    const bundle = await options.chores.bundle(folder, name);
    for (const warning of bundle.warnings) options.onWarning(name, printable(formatBundleIssue(warning)));
    await options.store.put(bundle);
    const prepared = { ...splitSecrets(await filled(found, options)), hash: bundle.hash };
    const declaration = await options.learn(prepared);
    const problems = options.findProblems(declaration, manifest);
    if (problems.length > 0) return createIdleModule(manifest, 'failed', firstOf(problems));
    await options.openDatabase?.(manifest);
    const unserved = unservedParts(declaration);
    if (unserved !== undefined) options.onWarning(name, unserved);
    return options.host({ ...prepared, declaration });
  } catch (error) {
    return createIdleModule(manifest, 'failed', reasonsOf(error));
  }
}

/** Loaded before its dependents, by the order: what is in one of these states now does not run after all. */
const NOT_THERE: ReadonlySet<ModuleState> = new Set(['failed', 'installed', 'disabled']);

function findMissingDependency({ dependencies }: Manifest, registry: Registry): ServedModule | undefined {
  const names = new Set(dependencies.map((dependency) => dependency.split('@')[0]));
  return registry.list().find(({ name, state }) => names.has(name) && NOT_THERE.has(state));
}

/**
 * A setting that config.yaml lacks may have been set by an operator, or be in the vault; what is wrong with the vault
 * itself shows when the module is loaded.
 */
async function stillWrong(found: FoundModule, { fillSecrets, fillSettings }: LoadOptions) {
  const { name, warnings } = found;
  if (warnings.length === 0) return warnings;
  const kept = await fillSecrets(name).catch(() => new Map<string, string>());
  const { missingSettings } = await withSettings(found, { fillSettings, onWarning: () => {} }).catch(() => found);
  return warnings.filter(({ key }) => {
    const setting = key.replace(/^settings\./, '');
    return missingSettings.includes(setting) && !kept.has(setting);
  });
}

function warnOfUnknownNames({ registry, directory, namedInSettings = {}, onWarning }: LoadOptions): void {
  const known = new Set([...registry.list(), ...registry.broken].map(({ name }) => name));
  for (const [setting, names] of Object.entries(namedInSettings)) {
    for (const name of names) {
      if (known.has(name)) continue;
      onWarning(name, `${setting} names the module ${name}, but ${directory} has none of that name.`);
    }
  }
}

const MAX_REASONS = 20;

/** One mistake is often made at each of hundreds of endpoints. */
function firstOf(problems: readonly string[]): readonly string[] {
  if (problems.length <= MAX_REASONS) return problems;
  return [...problems.slice(0, MAX_REASONS), `… and ${problems.length - MAX_REASONS} more`];
}

function reasonsOf(error: unknown): string[] {
  if (error instanceof BundleError) return error.issues.map(formatBundleIssue);
  return [error instanceof Error ? error.message : String(error)];
}

function waitsFor(permission: Permission): string {
  const { sentence, risk } = describePermission(permission);
  return `waits for the permission ${formatPermission(permission)} (${risk} risk: ${sentence})`;
}
