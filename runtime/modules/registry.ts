/** The modules of this host by name and by prefix. Knows who they are, not how they run. */
import type { ModuleDirectory, ServedModule } from './served-module.ts';

/** A folder that could not even be read as a module: it has no prefix and no version, only reasons. */
export interface BrokenFolder {
  readonly name: string;
  readonly reasons: readonly string[];
}

export class Registry implements ModuleDirectory {
  readonly #byName = new Map<string, ServedModule>();
  readonly #byPrefix = new Map<string, ServedModule>();
  readonly #broken: BrokenFolder[] = [];
  #revision = 0;

  get revision(): number {
    return this.#revision;
  }

  get broken(): readonly BrokenFolder[] {
    return this.#broken;
  }

  add(module: ServedModule): void {
    this.#byName.set(module.name, module);
    // A module that failed over its prefix must not take it from the one that has it.
    if (module.state !== 'failed' || !this.#byPrefix.has(module.prefix)) this.#byPrefix.set(module.prefix, module);
    this.#revision += 1;
  }

  addBroken(folder: BrokenFolder): void {
    this.#broken.push(folder);
  }

  /** Call when a module's state or declaration changed. */
  touch(): void {
    this.#revision += 1;
  }

  find(pathname: string): ServedModule | undefined {
    for (let slash = pathname.indexOf('/', 1); slash !== -1; slash = pathname.indexOf('/', slash + 1)) {
      const module = this.#byPrefix.get(pathname.slice(0, slash));
      if (module !== undefined) return module;
    }
    return this.#byPrefix.get(pathname);
  }

  list(): readonly ServedModule[] {
    return [...this.#byName.values()];
  }
}
