/** What operators see of modules and grant to them. */
import { type InputIssue, PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { formatPermission, type Permission, parsePermission } from '../capabilities/permission.ts';
import type { GrantBook } from './grant-book.ts';
import { type PermissionsView, viewKept, viewPermissions } from './permissions-view.ts';
import type { BrokenFolder, Registry } from './registry.ts';
import type { ServedModule } from './served-module.ts';
import { settledWithin } from './settled-within.ts';

export interface ModuleDeskOptions {
  readonly registry: Registry;
  readonly grants: GrantBook;
  /** The version that waits to take over, while another one serves. */
  readonly candidate?: (name: string) => Manifest | undefined;
  /** Loads a module that waits. */
  readonly load: (name: string) => Promise<void>;
  readonly onFailure: (module: string, error: unknown) => void;
}

/** What is left of a module whose folder is not there any more. */
export interface GoneModule {
  readonly name: string;
  readonly state: 'removed';
  readonly permissions: PermissionsView;
}

/** An answer may come before the module is there; it says in which state it is. */
const LOAD_MS = 10_000;

export class ModuleDesk {
  readonly #options: ModuleDeskOptions;

  constructor(options: ModuleDeskOptions) {
    this.#options = options;
  }

  list(): readonly ServedModule[] {
    return this.#options.registry.list();
  }

  get broken(): readonly BrokenFolder[] {
    return this.#options.registry.broken;
  }

  /** @throws PlexiError NOT_FOUND */
  get(name: string): ServedModule {
    const module = this.#options.registry.get(name);
    if (module !== undefined) return module;
    const isBroken = this.broken.some((folder) => folder.name === name);
    const kept = this.#options.grants.kept(name).map(({ permission }) => formatPermission(permission));
    const why = isBroken
      ? 'its config.yaml cannot be read'
      : kept.length > 0
        ? `what was granted to it is kept, and can be revoked: ${kept.join(', ')}`
        : 'GET /api/v1/modules lists those there are';
    throw new PlexiError('NOT_FOUND', `There is no module ${name}; ${why}.`);
  }

  permissions(module: ServedModule): PermissionsView {
    return viewPermissions(this.#candidate(module.name) ?? module.manifest, this.#options.grants);
  }

  /** @throws PlexiError NOT_FOUND, INVALID_INPUT, STATE_UNAVAILABLE */
  async grant(name: string, texts: readonly string[], operator: string): Promise<ServedModule> {
    const { grants } = this.#options;
    const served = this.get(name);
    const candidate = this.#candidate(name);
    const manifest = candidate ?? served.manifest;
    const admitted = grants.admittedVersion(name) ?? manifest.module_version;
    if (candidate === undefined && admitted !== manifest.module_version) {
      // A grant for the version that goes would be none for the one that comes.
      throw new PlexiError(
        'MODULE_UNAVAILABLE',
        `Version ${admitted} of ${name} is being loaded: look at it, then grant.`,
        {
          headers: { 'retry-after': '5' },
        },
      );
    }
    await grants.grant(manifest, readAll(texts, '/body/permissions'), operator);
    const waits = candidate !== undefined || this.get(name).state === 'installed';
    if (waits && grants.missing(manifest).length === 0) await this.#load(name);
    return this.get(name);
  }

  /**
   * It goes on running without; a call that needs what was taken back is refused. What is kept for a module that is not
   * there any more can be taken back too.
   * @throws PlexiError as `grant`
   */
  async revoke(name: string, texts: readonly string[]): Promise<ServedModule | GoneModule> {
    const { registry, grants } = this.#options;
    const module = grants.kept(name).length > 0 ? registry.get(name) : this.get(name);
    await grants.revoke(name, readAll(texts, '/body/revoke'));
    return module ?? { name, state: 'removed', permissions: viewKept(name, grants) };
  }

  #candidate(name: string): Manifest | undefined {
    return this.#options.candidate?.(name);
  }

  async #load(name: string): Promise<void> {
    const { load, onFailure } = this.#options;
    await settledWithin(
      load(name).catch((error: unknown) => onFailure(name, error)),
      LOAD_MS,
    );
  }
}

function readAll(texts: readonly string[], at: string): Permission[] {
  const errors: InputIssue[] = [];
  const permissions = texts.flatMap((text, index) => {
    const parsed = parsePermission(text);
    if (parsed.ok) return parsed.permission;
    errors.push({ path: `${at}/${index}`, message: parsed.message });
    return [];
  });
  if (errors.length > 0) throw new PlexiError('INVALID_INPUT', 'This is no permission.', { errors });
  return permissions;
}
