/** The modules of this host by name and by prefix. Knows who they are, not how they run. */
import { prefixesClash } from './manifest-rules.ts';
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
  /** Those that may serve, by prefix: none of theirs clash. */
  readonly #holders = new Map<string, ServedModule>();
  /** The first of those that answer nothing, by prefix. */
  readonly #silent = new Map<string, ServedModule>();
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
    this.#byName.set(module.name, module);
    if (previous !== undefined && this.#holders.get(previous.prefix) === previous) {
      if (previous.prefix === module.prefix && !WITHOUT_PREFIX.has(module.state)) {
        this.#holders.set(module.prefix, module);
      } else this.#holders.delete(previous.prefix);
    }
    this.#share();
    this.#revision += 1;
    this.#tell(module, undefined);
  }

  /** The module is taken out: its prefix is free, and nobody finds it any more. */
  remove(name: string): ServedModule | undefined {
    this.#broken = this.#broken.filter((folder) => folder.name !== name);
    const module = this.#byName.get(name);
    if (module === undefined) return undefined;
    this.#byName.delete(name);
    if (this.#holders.get(module.prefix) === module) this.#holders.delete(module.prefix);
    this.#share();
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
      const path = pathname.slice(0, slash);
      const holder = this.#holders.get(path);
      if (holder !== undefined) return holder;
      silent ??= this.#silent.get(path);
    }
    return this.#holders.get(pathname) ?? silent ?? this.#silent.get(pathname);
  }

  /** Whether it is this module that is found at its prefix. */
  holdsPrefix(name: string): boolean {
    const module = this.#byName.get(name);
    return module !== undefined && this.#holders.get(module.prefix) === module;
  }

  get(name: string): ServedModule | undefined {
    return this.#byName.get(name);
  }

  /** Also one whose folder could not even be read. */
  knows(name: string): boolean {
    return this.#byName.has(name) || this.#broken.some((folder) => folder.name === name);
  }

  list(): readonly ServedModule[] {
    return [...this.#byName.values()];
  }

  /**
   * Boundary: whoever has a prefix keeps it for as long as it may serve; what it gives up goes to the one that came first
   * of those that wait for it.
   */
  #share(): void {
    this.#silent.clear();
    for (const module of this.#byName.values()) {
      const { prefix, state } = module;
      if (WITHOUT_PREFIX.has(state)) {
        if (!this.#silent.has(prefix)) this.#silent.set(prefix, module);
      } else if (!this.#holders.has(prefix) && ![...this.#holders.keys()].some((held) => prefixesClash(held, prefix))) {
        this.#holders.set(prefix, module);
      }
    }
  }

  #tell(module: ServedModule, from: ModuleState | undefined): void {
    for (const listener of this.#listeners) listener(module, from);
  }
}
