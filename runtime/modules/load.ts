/**
 * From a directory of folders to modules that can be served: read, order, bundle, check the grants, learn what each
 * declares. Whatever is wrong with one module is its own: it shows up as failed with its reasons, the others load.
 */
import type { Declaration } from '@plexichat/sdk/protocol/declaration';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { formatPermission, type Permission, parsePermission } from '../capabilities/permission.ts';
import { notCovered } from '../capabilities/permission-cover.ts';
import { describePermission } from '../capabilities/permission-words.ts';
import { printable } from '../observability/printable.ts';
import { BundleError, formatBundleIssue } from './bundle-error.ts';
import type { BundleStore } from './bundle-store.ts';
import type { Chores } from './chores.ts';
import { discoverModules, type FoundModule } from './discover.ts';
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
  readonly grants: readonly Permission[];
}

/** A module whose declaration is known too. */
export interface PreparedModule extends CheckedModule {
  readonly declaration: Declaration;
}

export interface LoadOptions {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly grants: Readonly<Record<string, readonly string[]>>;
  readonly chores: Chores;
  readonly store: BundleStore;
  readonly registry: Registry;
  readonly learn: (module: CheckedModule) => Promise<Declaration>;
  /** What keeps the declared endpoints from being served; nothing when they are fine. */
  readonly findProblems: (declaration: Declaration, manifest: Manifest) => readonly string[];
  readonly host: (module: PreparedModule) => ServedModule;
  /** Where else the settings name modules: setting → names. A name of no module is warned about. */
  readonly namedInSettings?: Readonly<Record<string, readonly string[]>>;
  readonly onWarning: (module: string, message: string) => void;
}

/** Fills the registry: at once with what there is, then one by one with what can be served. @throws Error when the directory itself cannot be read */
export async function loadModules(options: LoadOptions): Promise<void> {
  const { directory, environment, registry, onWarning } = options;
  const found: FoundModule[] = [];
  for (const folder of await discoverModules(directory, { environment })) {
    if (folder.ok) found.push(folder);
    else registry.addBroken(folder);
  }
  const { order, failures } = orderModules(found.map(({ manifest }) => manifest));
  const byName = new Map(found.map((module) => [module.name, module]));
  for (const { name, manifest, warnings } of found) {
    for (const warning of warnings) onWarning(name, warning.message);
    const failure = failures.get(name);
    if (failure !== undefined) registry.add(createIdleModule(manifest, 'failed', [failure]));
    else if (!manifest.enabled)
      registry.add(createIdleModule(manifest, 'disabled', ['config.yaml says enabled: false']));
    else registry.add(createLoadingModule(manifest));
  }
  registry.announced();
  warnOfUnknownNames(options);
  // One after the other: dependencies first, and the chores' thread is one anyway.
  for (const name of order) {
    const module = byName.get(name);
    if (module !== undefined) registry.add(await loadModule(module, options));
  }
}

async function loadModule({ name, folder, manifest }: FoundModule, options: LoadOptions): Promise<ServedModule> {
  const missingDependency = findMissingDependency(manifest, options.registry);
  if (missingDependency !== undefined) {
    const { name: dependency, state, reasons } = missingDependency;
    const reason = extendChain(name, dependency, reasons[0] ?? `${dependency} is ${state}.`);
    return createIdleModule(manifest, state === 'installed' ? 'installed' : 'failed', [reason]);
  }
  const grants = readGrants(name, options);
  const missing = notCovered(grants, readPermissions(manifest.required_permissions));
  if (missing.length > 0) return createIdleModule(manifest, 'installed', missing.map(waitsFor));
  try {
    const bundle = await options.chores.bundle(folder, name);
    for (const warning of bundle.warnings) options.onWarning(name, printable(formatBundleIssue(warning)));
    await options.store.put(bundle);
    const prepared = {
      ...splitSecrets(manifest),
      hash: bundle.hash,
      grants,
    };
    const declaration = await options.learn(prepared);
    const problems = options.findProblems(declaration, manifest);
    if (problems.length > 0) return createIdleModule(manifest, 'failed', firstOf(problems));
    const unserved = unservedParts(manifest, declaration);
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

function warnOfUnknownNames({ registry, directory, grants, namedInSettings = {}, onWarning }: LoadOptions): void {
  const known = new Set([...registry.list(), ...registry.broken].map(({ name }) => name));
  for (const [setting, names] of Object.entries({ grants: Object.keys(grants), ...namedInSettings })) {
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

function readGrants(name: string, { grants, onWarning }: LoadOptions): Permission[] {
  return (grants[name] ?? []).flatMap((text) => {
    const parsed = parsePermission(text);
    if (parsed.ok) return parsed.permission;
    onWarning(name, `grants: ${parsed.message}`);
    return [];
  });
}

function readPermissions(texts: readonly string[]): Permission[] {
  return texts.flatMap((text) => {
    const parsed = parsePermission(text);
    return parsed.ok ? parsed.permission : [];
  });
}

function waitsFor(permission: Permission): string {
  const { sentence, risk } = describePermission(permission);
  return `waits for the permission ${formatPermission(permission)} (${risk} risk: ${sentence})`;
}
