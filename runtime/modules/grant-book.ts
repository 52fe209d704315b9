/**
 * What each module was granted, as it stands now: by plexi.yaml, and by operators, whose grants are kept for each
 * version. The gate looks in here at every call, so all of it is in memory.
 */

import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { formatPermission, type Permission, parsePermission } from '../capabilities/permission.ts';
import { covers, notCovered } from '../capabilities/permission-cover.ts';
import { InTurn } from '../state/in-turn.ts';
import type { State } from '../state/state.ts';
import { GrantStore, type StoredGrant, type StoredGrants } from './grant-store.ts';
import { GrantUses } from './grant-uses.ts';

export type AskingManifest = Pick<
  Manifest,
  'module_name' | 'module_version' | 'required_permissions' | 'optional_permissions'
>;

export interface GrantBookOptions {
  readonly state: State;
  /** `grants:` of plexi.yaml, by module. */
  readonly settings: Readonly<Record<string, readonly string[]>>;
  readonly onWarning: (module: string, message: string) => void;
  readonly onFailure: (error: unknown) => void;
  readonly now?: () => number;
}

/** A grant in force. */
export interface HeldGrant {
  readonly permission: Permission;
  readonly source: 'operator' | 'plexi.yaml';
  /** Unknown for plexi.yaml. */
  readonly at: number | undefined;
  readonly by: string | undefined;
}

interface Holding {
  readonly manifest: AskingManifest;
  readonly fromSettings: readonly Permission[];
  /** With those of operators, as the gate wants them. */
  effective: readonly Permission[];
}

const NOTHING: readonly Permission[] = [];

/** Reads what was granted. @throws PlexiError STATE_UNAVAILABLE */
export async function openGrantBook(options: GrantBookOptions): Promise<GrantBook> {
  const store = new GrantStore(options.state);
  return new GrantBook(options, store, await store.readAll());
}

export class GrantBook {
  readonly uses: GrantUses;
  readonly #options: GrantBookOptions;
  readonly #store: GrantStore;
  readonly #now: () => number;
  /** Every stored grant of every version, by module. */
  readonly #stored = new Map<string, StoredGrant[]>();
  readonly #versions: Map<string, string>;
  /** By module, of the version that was admitted. */
  readonly #holdings = new Map<string, Holding>();
  /** Other versions that run beside it for a moment, while one takes the place of the other; by module. */
  readonly #beside = new Map<string, readonly AskingManifest[]>();
  /** One change after the other, so that memory and disk agree on which was last. */
  readonly #changes = new InTurn();

  constructor(options: GrantBookOptions, store: GrantStore, { grants, versions, uses }: StoredGrants) {
    this.#options = options;
    this.#store = store;
    this.#now = options.now ?? Date.now;
    this.#versions = new Map(versions);
    for (const grant of grants) this.#stored.set(grant.module, [...(this.#stored.get(grant.module) ?? []), grant]);
    this.uses = new GrantUses({
      known: uses,
      write: (changed) => store.addUses(changed),
      onFailure: options.onFailure,
      now: this.#now,
    });
  }

  /** Boundary: what the gate holds each call against; nothing for a module that was not admitted. */
  granted(module: string): readonly Permission[] {
    return this.#holdings.get(module)?.effective ?? NOTHING;
  }

  /** The version that the gate holds calls against; undefined for a module that was not admitted. */
  admittedVersion(module: string): string | undefined {
    return this.#holdings.get(module)?.manifest.module_version;
  }

  /** What is granted to this version; in force once it was admitted. */
  held(manifest: AskingManifest): readonly HeldGrant[] {
    return [...this.#readSettings(manifest.module_name, false), ...toHeld(this.#standingFor(manifest))];
  }

  /**
   * This version of the module is the one that runs, or waits, from now on. What was granted to the version before and is
   * asked for again carries over; what it asks for beyond that is to be granted.
   * @throws PlexiError STATE_UNAVAILABLE
   */
  admit(manifest: AskingManifest): Promise<void> {
    return this.#changes.take(async () => {
      const { module_name: module, module_version: version } = manifest;
      const standing = this.#standingFor(manifest);
      const carried = standing.filter((grant) => grant.version !== version).map((grant) => ({ ...grant, version }));
      const isKnown = this.#versions.has(module) || this.#stored.has(module);
      if (carried.length > 0 || (isKnown && this.#versions.get(module) !== version)) {
        await this.#store.enforce(module, version, carried);
        this.#stored.set(module, [...(this.#stored.get(module) ?? []), ...carried]);
      }
      this.#versions.set(module, version);
      const fromSettings = this.#readSettings(module).map(({ permission }) => permission);
      this.#holdings.set(module, { manifest, fromSettings, effective: NOTHING });
      this.#refresh(module);
    });
  }

  /** The version that was to take its place does not: calls are held against this one at once, whatever the state says. */
  holdAgain(manifest: AskingManifest): void {
    const fromSettings = this.#readSettings(manifest.module_name, false).map(({ permission }) => permission);
    this.#holdings.set(manifest.module_name, { manifest, fromSettings, effective: NOTHING });
    this.#refresh(manifest.module_name);
  }

  /**
   * Another version runs beside the one in force, one about to take the place of the other: what is granted to either
   * is in force for both until this is ended, since the gate knows modules and no versions.
   * @returns ends it
   */
  runBeside(manifest: AskingManifest): () => void {
    const { module_name: module } = manifest;
    this.#beside.set(module, [...(this.#beside.get(module) ?? []), manifest]);
    this.#refresh(module);
    return () => {
      const left = (this.#beside.get(module) ?? []).filter((other) => other !== manifest);
      if (left.length > 0) this.#beside.set(module, left);
      else this.#beside.delete(module);
      this.#refresh(module);
    };
  }

  /** What the module cannot do without and was not granted; also for a version that was not admitted yet. */
  missing(manifest: AskingManifest): Permission[] {
    const held = this.held(manifest).map(({ permission }) => permission);
    return notCovered(held, readPermissions(manifest.required_permissions));
  }

  /**
   * Boundary: only what the manifest asks for, or a part of it, can be granted.
   * @throws PlexiError INVALID_INPUT that names what is not asked for, STATE_UNAVAILABLE
   */
  grant(manifest: AskingManifest, permissions: readonly Permission[], operator: string): Promise<void> {
    return this.#changes.take(async () => {
      const { module_name: module, module_version: version } = manifest;
      const asked = askedBy(manifest);
      const beyond = permissions.filter((one) => !asked.some((ask) => covers(ask, one)));
      if (beyond.length > 0) throw notAskedFor(module, beyond, asked);
      const known = this.#stored.get(module) ?? [];
      const at = this.#now();
      const fresh = permissions
        .map((permission) => ({ module, version, permission: formatPermission(permission), at, by: operator }))
        .filter((grant, index, all) => all.findIndex((other) => other.permission === grant.permission) === index)
        .filter((grant) => !known.some((old) => old.version === version && old.permission === grant.permission));
      if (this.#versions.get(module) === version) await this.#store.enforce(module, version, fresh);
      else await this.#store.add(fresh);
      this.#stored.set(module, [...known, ...fresh]);
      this.#refresh(module);
    });
  }

  /** Modules for which operators' grants are kept, whether they are there or not. */
  get keptFor(): readonly string[] {
    return [...this.#stored].flatMap(([module, grants]) => (grants.length > 0 ? module : []));
  }

  /** What operators granted to any version of the module: all that `revoke` takes back. */
  kept(module: string): readonly HeldGrant[] {
    const byText = new Map((this.#stored.get(module) ?? []).map((grant) => [grant.permission, grant]));
    return toHeld([...byText.values()]);
  }

  /** The module is gone for good, and everything that was granted to any version of it. @throws PlexiError STATE_UNAVAILABLE */
  forget(module: string): Promise<void> {
    return this.#changes.take(async () => {
      this.#holdings.delete(module);
      await this.#store.forget(module);
      this.#stored.delete(module);
      this.#versions.delete(module);
    });
  }

  /** The module is taken out: nothing is granted to it while it is away, and what was is kept. */
  dismiss(module: string): void {
    this.#holdings.delete(module);
  }

  /**
   * Takes back what operators granted, from every version; the next call is refused already.
   * @throws PlexiError INVALID_INPUT for what only plexi.yaml can take back, or was never granted; STATE_UNAVAILABLE: it is
   *   taken back until the host ends then, and may be there again afterwards
   */
  async revoke(module: string, permissions: readonly Permission[]): Promise<void> {
    const texts = permissions.map(formatPermission);
    this.#assertRevocable(module, texts);
    const drop = (): void => {
      const left = (this.#stored.get(module) ?? []).filter(({ permission }) => !texts.includes(permission));
      this.#stored.set(module, left);
      this.#refresh(module);
    };
    // Boundary: before anything is waited for.
    drop();
    await this.#changes.take(async () => {
      drop();
      await this.#store.remove(module, texts);
    });
  }

  async close(): Promise<void> {
    await this.#changes.idle();
    await this.uses.close();
  }

  #assertRevocable(module: string, texts: readonly string[]): void {
    const stored = (this.#stored.get(module) ?? []).map(({ permission }) => permission);
    const inSettings = this.#readSettings(module, false).map(({ permission }) => formatPermission(permission));
    for (const text of texts) {
      if (stored.includes(text)) continue;
      const why = inSettings.includes(text)
        ? `${text} is granted to ${module} by plexi.yaml: take it out there, and start the host again.`
        : `${text} was not granted to ${module}${stored.length > 0 ? `; granted are ${[...new Set(stored)].join(', ')}` : ''}.`;
      throw new PlexiError('INVALID_INPUT', why);
    }
  }

  /** Of the stored grants those of this version, and of the one in force before it, that the manifest asks for. */
  #standingFor(manifest: AskingManifest): StoredGrant[] {
    const { module_name: module, module_version: version } = manifest;
    const asked = askedBy(manifest);
    const before = this.#versions.get(module);
    const own = new Map<string, StoredGrant>();
    for (const grant of this.#stored.get(module) ?? []) {
      const isNear = grant.version === version || grant.version === before;
      const [permission] = readPermissions([grant.permission]);
      if (!isNear || permission === undefined || !asked.some((ask) => covers(ask, permission))) continue;
      if (grant.version === version || !own.has(grant.permission)) own.set(grant.permission, grant);
    }
    return [...own.values()];
  }

  #refresh(module: string): void {
    const holding = this.#holdings.get(module);
    if (holding === undefined) return;
    const standing = [holding.manifest, ...(this.#beside.get(module) ?? [])].flatMap((one) => this.#standingFor(one));
    const byText = new Map(standing.map((grant) => [grant.permission, grant]));
    const byOperators = toHeld([...byText.values()]).map(({ permission }) => permission);
    holding.effective = [...holding.fromSettings, ...byOperators];
  }

  #readSettings(module: string, warns = true): HeldGrant[] {
    const texts = Object.hasOwn(this.#options.settings, module) ? this.#options.settings[module] : undefined;
    return (texts ?? []).flatMap((text) => {
      const parsed = parsePermission(text);
      if (parsed.ok) return { permission: parsed.permission, source: 'plexi.yaml', at: undefined, by: undefined };
      if (warns) this.#options.onWarning(module, `grants: ${parsed.message}`);
      return [];
    });
  }
}

/** Every permission of a manifest, once. */
export function askedBy(manifest: AskingManifest): Permission[] {
  const texts = [...manifest.required_permissions, ...manifest.optional_permissions];
  const byText = new Map(readPermissions(texts).map((permission) => [formatPermission(permission), permission]));
  return [...byText.values()];
}

export function readPermissions(texts: readonly string[]): Permission[] {
  return texts.flatMap((text) => {
    const parsed = parsePermission(text);
    return parsed.ok ? parsed.permission : [];
  });
}

function toHeld(grants: readonly StoredGrant[]): HeldGrant[] {
  return grants.flatMap(({ permission: text, at, by }) =>
    readPermissions([text]).map((permission) => ({ permission, source: 'operator' as const, at, by })),
  );
}

function notAskedFor(module: string, beyond: readonly Permission[], asked: readonly Permission[]): PlexiError {
  const wanted = asked.length === 0 ? 'it asks for none' : `it asks for ${asked.map(formatPermission).join(', ')}`;
  return new PlexiError(
    'INVALID_INPUT',
    `${module} does not ask for ${beyond.map(formatPermission).join(', ')}, so it cannot be granted; ${wanted}.`,
  );
}
