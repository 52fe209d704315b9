/** The modules of this host by name and by prefix. Knows who they are, not how they run. */
import type { ModuleDirectory, ModuleState, ServedModule } from './served-module.ts';

/** A folder that could not even be read as a module: it has no prefix and no version, only reasons. */
export interface BrokenFolder {
  readonly name: string;
  readonly reasons: readonly string[];
}

/** They answer nothing, whatever their prefix is. */
const WITHOUT_PREFIX: ReadonlySet<ModuleState> = new Set(['failed', 'disabled']);

/** `from` is undefined when the module was added, or took the place of one with its name. Must not throw. */
export type ModuleListener = (module: ServedModule, from: ModuleState | undefined) => void;

export class Registry implements ModuleDirectory {
  readonly #byName = new Map<string, ServedModule>();
  readonly #byPrefix = new Map<string, ServedModule>();
  #broken: readonly BrokenFolder[] = [];
  readonly #listeners = new Set<ModuleListener>();
  #revision = 0;
  #isAnnounced = false;

  get revision(): number {
    return this.#revision;
  }

  get isAnnounced(): boolean {
    return this.#isAnnounced;
  }

  get broken(): readonly BrokenFolder[] {
    return this.#broken;
  }

  /** Adds a module, in place of the one with its name. */
  add(module: ServedModule): void {
    const previous = this.#byName.get(module.name);
    if (previous !== undefined && this.#byPrefix.get(previous.prefix) === previous) {
      this.#byPrefix.delete(previous.prefix);
    }
    this.#byName.set(module.name, module);
    const holder = this.#byPrefix.get(module.prefix);
    // A module that cannot answer must not take the prefix from the one that can.
    if (holder === undefined || !WITHOUT_PREFIX.has(module.state)) this.#byPrefix.set(module.prefix, module);
    this.#revision += 1;
    this.#tell(module, undefined);
  }

  /** The module is taken out: its prefix is free, and nobody finds it any more. */
  remove(name: string): ServedModule | undefined {
    this.#broken = this.#broken.filter((folder) => folder.name !== name);
    const module = this.#byName.get(name);
    if (module === undefined) return undefined;
    this.#byName.delete(name);
    if (this.#byPrefix.get(module.prefix) === module) this.#byPrefix.delete(module.prefix);
    this.#revision += 1;
    this.#tell(module, module.state);
    return module;
  }

  addBroken(folder: BrokenFolder): void {
    this.#broken = [...this.#broken, folder];
  }

  /** Every module that there is has been added, be it as one that is still being loaded. */
  announced(): void {
    this.#isAnnounced = true;
  }

  /** Call when a module's state or declaration changed. */
  touch(): void {
    this.#revision += 1;
  }

  /** Call when a module that was added has changed its state. */
  changed(module: ServedModule, from: ModuleState): void {
    // One that has been replaced is nobody's concern any more, whatever becomes of it.
    if (this.#byName.get(module.name) === module) this.#tell(module, from);
  }

  /** @returns stops listening */
  onChange(listener: ModuleListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Prefixes of modules that answer never overlap; one that does not answer is found only when no other covers the path. */
  find(pathname: string): ServedModule | undefined {
    let silent: ServedModule | undefined;
    for (let slash = pathname.indexOf('/', 1); slash !== -1; slash = pathname.indexOf('/', slash + 1)) {
      const module = this.#byPrefix.get(pathname.slice(0, slash));
      if (module === undefined) continue;
      if (!WITHOUT_PREFIX.has(module.state)) return module;
      silent ??= module;
    }
    const module = this.#byPrefix.get(pathname);
    return module === undefined || (silent !== undefined && WITHOUT_PREFIX.has(module.state)) ? silent : module;
  }

  get(name: string): ServedModule | undefined {
    return this.#byName.get(name);
  }

  list(): readonly ServedModule[] {
    return [...this.#byName.values()];
  }

  #tell(module: ServedModule, from: ModuleState | undefined): void {
    for (const listener of this.#listeners) listener(module, from);
  }
}
