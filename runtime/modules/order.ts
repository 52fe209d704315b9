/** In which order modules load, and which cannot. Pure: manifests in, names out. */
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { satisfies } from 'semver';
import { prefixesClash } from './manifest-rules.ts';

export type OrderInput = Pick<
  Manifest,
  'module_name' | 'module_version' | 'enabled' | 'priority' | 'dependencies' | 'optional_dependencies'
> & { readonly api: Pick<Manifest['api'], 'prefix'> };

export interface LoadOrder {
  /** Names of the modules that may load, dependencies first, then by priority, then by name. */
  readonly order: readonly string[];
  /** Why the others cannot; modules that are not enabled are in neither. */
  readonly failures: ReadonlyMap<string, string>;
}

/** @param since of two modules that want the same paths the one with the lower number has them; else the earlier in order */
export function orderModules(modules: readonly OrderInput[], since: (module: string) => number = () => 0): LoadOrder {
  const all = new Map(modules.map((module) => [module.module_name, module]));
  const queue = modules.filter((module) => module.enabled).sort(byPriority);
  const failures = new Map<string, string>();

  for (const module of queue) {
    const problem = dependencyProblem(module, all) ?? circleProblem(module, all);
    if (problem !== undefined) failures.set(module.module_name, problem);
  }
  spreadFailures(queue, failures);
  const sorted = sortByDependencies(queue, all, failures);
  const placed: OrderInput[] = [];
  // Boundary: who was there first, and not what an author says of his own module.
  for (const module of sorted.toSorted((left, right) => since(left.module_name) - since(right.module_name))) {
    if (failures.has(module.module_name)) continue;
    const clash = placed.find((other) => prefixesClash(other.api.prefix, module.api.prefix));
    if (clash === undefined) {
      placed.push(module);
    } else {
      const isOlder = since(clash.module_name) < since(module.module_name);
      failures.set(module.module_name, clashMessage(module, clash, isOlder ? 'was there first' : 'loads first'));
      spreadFailures(queue, failures);
    }
  }
  return { order: sorted.map((module) => module.module_name).filter((name) => !failures.has(name)), failures };
}

function byPriority(left: OrderInput, right: OrderInput): number {
  return left.priority - right.priority || (left.module_name < right.module_name ? -1 : 1);
}

interface Dependency {
  readonly name: string;
  readonly range: string;
}

function readDependency(text: string): Dependency {
  const at = text.indexOf('@');
  return at < 0 ? { name: text, range: '*' } : { name: text.slice(0, at), range: text.slice(at + 1) };
}

/** Prereleases count: 2.0.0-beta.1 is what a module gets from an author who ships it. */
function fits(version: string, range: string): boolean {
  return satisfies(version, range, { includePrerelease: true });
}

function dependencyProblem(module: OrderInput, all: ReadonlyMap<string, OrderInput>): string | undefined {
  for (const { name, range } of module.dependencies.map(readDependency)) {
    const found = all.get(name);
    if (found === undefined) return `${module.module_name} → ${name}: no module has the name ${name}.`;
    if (!found.enabled) return `${module.module_name} → ${name}: ${name} is not enabled.`;
    if (!fits(found.module_version, range)) {
      return `${module.module_name} → ${name}: version ${range} is needed, ${found.module_version} is there.`;
    }
  }
  return undefined;
}

function circleProblem(module: OrderInput, all: ReadonlyMap<string, OrderInput>): string | undefined {
  const chain = findChain(module.module_name, module.module_name, (name) => requiredNames(all.get(name)));
  return chain === undefined ? undefined : `The dependencies go in a circle: ${chain.join(' → ')}.`;
}

function requiredNames(module: OrderInput | undefined): string[] {
  return module?.dependencies.map((text) => readDependency(text).name) ?? [];
}

/** The shortest way of at least one step from one name to another. */
function findChain(from: string, to: string, next: (name: string) => readonly string[]): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [from];
  for (const name of queue) {
    for (const neighbour of next(name)) {
      if (neighbour === to) return [...wayBack(cameFrom, from, name), to];
      if (neighbour === from || cameFrom.has(neighbour)) continue;
      cameFrom.set(neighbour, name);
      queue.push(neighbour);
    }
  }
  return undefined;
}

function wayBack(cameFrom: ReadonlyMap<string, string>, from: string, name: string): string[] {
  const chain = [name];
  for (let at = name; at !== from; ) {
    at = cameFrom.get(at) ?? from;
    chain.unshift(at);
  }
  return chain;
}

/** Whoever needs a failed module fails too, and says through whom. */
function spreadFailures(modules: readonly OrderInput[], failures: Map<string, string>): void {
  const dependents = new Map<string, string[]>();
  for (const module of modules) {
    for (const name of requiredNames(module))
      dependents.set(name, [...(dependents.get(name) ?? []), module.module_name]);
  }
  const queue = [...failures.keys()];
  for (const failed of queue) {
    for (const dependent of dependents.get(failed) ?? []) {
      if (failures.has(dependent)) continue;
      failures.set(dependent, extendChain(dependent, failed, failures.get(failed) ?? ''));
      queue.push(dependent);
    }
  }
}

/** `b → c: no module…` becomes `a → b → c: no module…`; other reasons are told behind the arrow. */
export function extendChain(dependent: string, failed: string, reason: string): string {
  return reason.startsWith(`${failed} → `) ? `${dependent} → ${reason}` : `${dependent} → ${failed}: ${reason}`;
}

function clashMessage(module: OrderInput, clash: OrderInput, why: string): string {
  const [own, taken] = [module.api.prefix, clash.api.prefix];
  const problem = own === taken ? 'is taken by' : `clashes with ${taken} of`;
  return `The api.prefix ${own} ${problem} ${clash.module_name}, which ${why}.`;
}

/** The next one is always the most urgent of those whose dependencies are all in the list. */
function sortByDependencies(
  queue: readonly OrderInput[],
  all: ReadonlyMap<string, OrderInput>,
  failures: ReadonlyMap<string, string>,
): OrderInput[] {
  const sound = queue.filter((module) => !failures.has(module.module_name));
  const before = new Map(sound.map((module) => [module.module_name, new Set(requiredNames(module))]));
  for (const module of sound) {
    for (const { name, range } of module.optional_dependencies.map(readDependency)) {
      const found = all.get(name);
      if (found === undefined || !before.has(name) || !fits(found.module_version, range)) continue;
      // An optional wish never closes a circle: the one that is read first wins.
      const closes = name === module.module_name || reaches(name, module.module_name, before);
      if (!closes) before.get(module.module_name)?.add(name);
    }
  }
  const order: OrderInput[] = [];
  const rest = new Set(sound);
  while (rest.size > 0) {
    const next = [...rest].find((module) => before.get(module.module_name)?.size === 0);
    if (next === undefined) break;
    order.push(next);
    rest.delete(next);
    for (const names of before.values()) names.delete(next.module_name);
  }
  return order;
}

function reaches(from: string, to: string, before: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  return findChain(from, to, (name) => [...(before.get(name) ?? [])]) !== undefined;
}
