/** What operators do with the secret settings of modules: they are set and removed, and never shown. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type SecretVault, VaultRefusal } from '../state/secret-vault.ts';
import type { ModuleDesk } from './module-desk.ts';
import { findSecretNode, hasSetting, listSecretSettings, secretProblem } from './secret-settings.ts';
import type { ServedModule } from './served-module.ts';
import { settledWithin } from './settled-within.ts';

export interface SecretDeskOptions {
  readonly modules: Pick<ModuleDesk, 'get'>;
  readonly vault: SecretVault;
  /** What the module's requests are filled with is to change. */
  readonly refresh: (name: string) => Promise<void>;
  readonly onFailure: (module: string, error: unknown) => void;
}

export interface SecretView {
  readonly setting: string;
  /** `***`: it has a value. */
  readonly value: '***' | null;
  readonly source: 'vault' | 'config.yaml or environment' | null;
  readonly set_by: string | null;
  readonly set_at: string | null;
}

const REFRESH_MS = 10_000;

export class SecretDesk {
  readonly #options: SecretDeskOptions;

  constructor(options: SecretDeskOptions) {
    this.#options = options;
  }

  /**
   * What is kept for a module that is not there any more, too: whoever puts one of that name there again gets it.
   * @throws PlexiError NOT_FOUND, STATE_UNAVAILABLE
   */
  async list(name: string): Promise<SecretView[]> {
    const { modules, vault } = this.#options;
    const kept = new Map((await vault.list(name)).map((record) => [record.setting, record]));
    const manifest = kept.size === 0 ? modules.get(name).manifest : this.#find(name)?.manifest;
    const declared = listSecretSettings(manifest?.settings_schema);
    return [...new Set([...declared, ...kept.keys()])].sort().map((setting) => {
      const record = kept.get(setting);
      const isSet = record !== undefined || hasSetting(manifest?.settings ?? {}, setting);
      return {
        setting,
        value: isSet ? '***' : null,
        source: record === undefined ? (isSet ? 'config.yaml or environment' : null) : 'vault',
        set_by: record?.setBy ?? null,
        set_at: record === undefined ? null : new Date(record.setAt).toISOString(),
      };
    });
  }

  /** @throws PlexiError NOT_FOUND, INVALID_INPUT whose words never hold the value, STATE_UNAVAILABLE */
  async set(name: string, setting: string, value: unknown, operator: string): Promise<void> {
    const { modules, vault } = this.#options;
    const node = findNode(modules.get(name), setting);
    const problem = secretProblem(node, value);
    if (problem !== undefined) throw invalid(problem);
    await vault.set(name, setting, JSON.stringify(value), operator);
    await this.#refresh(name);
  }

  /** @throws PlexiError NOT_FOUND when it was not set, STATE_UNAVAILABLE */
  async remove(name: string, setting: string): Promise<void> {
    const { modules, vault } = this.#options;
    // Also those of a module that is not there any more.
    if (!(await vault.remove(name, setting))) {
      modules.get(name);
      throw new PlexiError('NOT_FOUND', `The vault holds no secret ${shown(setting)} of ${name}.`);
    }
    await this.#refresh(name);
  }

  /** @throws PlexiError INVALID_INPUT when this vault cannot be rotated here, STATE_UNAVAILABLE */
  async rotate(): Promise<{ readonly sealed: number }> {
    try {
      return await this.#options.vault.rotate();
    } catch (error) {
      if (error instanceof VaultRefusal) throw new PlexiError('INVALID_INPUT', error.message);
      throw error;
    }
  }

  #find(name: string): ServedModule | undefined {
    try {
      return this.#options.modules.get(name);
    } catch (error) {
      if (error instanceof PlexiError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  async #refresh(name: string): Promise<void> {
    const { refresh, onFailure } = this.#options;
    await settledWithin(
      refresh(name).catch((error: unknown) => onFailure(name, error)),
      REFRESH_MS,
    );
  }
}

function findNode({ name, manifest }: ServedModule, setting: string) {
  const node = findSecretNode(manifest.settings_schema, setting);
  if (node !== undefined) return node;
  const known = listSecretSettings(manifest.settings_schema);
  const allowed = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
  throw new PlexiError('NOT_FOUND', `${name} has no secret setting ${shown(setting)}; ${allowed}.`);
}

function shown(setting: string): string {
  return JSON.stringify(setting.length > 70 ? `${setting.slice(0, 70)}…` : setting);
}

function invalid(message: string): PlexiError {
  return new PlexiError('INVALID_INPUT', 'The value is not valid.', { errors: [{ path: '/body/value', message }] });
}
