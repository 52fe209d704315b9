/** What operators do with the settings of modules: they see them and change them; the secrets among them go to the vault. */

import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { InTurn } from '../state/in-turn.ts';
import type { SecretVault } from '../state/secret-vault.ts';
import type { FoundModule } from './discover.ts';
import type { ModuleDesk } from './module-desk.ts';
import type { SettingsEffect } from './refresh-settings.ts';
import type { ModuleState } from './served-module.ts';
import type { Settings, SettingsBook } from './settings-book.ts';
import { planChange } from './settings-change.ts';
import { type SettingsView, viewSettings } from './settings-view.ts';
import { settledWithin } from './settled-within.ts';

export interface SettingsDeskOptions {
  readonly modules: Pick<ModuleDesk, 'get'>;
  /** What the folder of the module says now; undefined when it cannot be read. */
  readonly find: (name: string) => Promise<FoundModule | undefined>;
  readonly book: SettingsBook;
  readonly vault: Pick<SecretVault, 'list' | 'change'>;
  /** The module is to run with what is set now. */
  readonly refresh: (name: string) => Promise<SettingsEffect>;
  readonly onFailure: (module: string, error: unknown) => void;
}

export interface ChangedSettings extends SettingsView {
  /** How it reached the module: see refresh-settings.ts; `pending`: not yet. */
  readonly effect: SettingsEffect | 'pending';
  readonly state: ModuleState;
  readonly reasons: readonly string[];
}

const REFRESH_MS = 10_000;

export class SettingsDesk {
  readonly #options: SettingsDeskOptions;
  /** One change after the other: each follows from what is set. */
  readonly #changes = new InTurn();

  constructor(options: SettingsDeskOptions) {
    this.#options = options;
  }

  /** @throws PlexiError NOT_FOUND, MODULE_UNAVAILABLE when its folder cannot be read, STATE_UNAVAILABLE */
  async view(name: string): Promise<SettingsView> {
    const { book, vault } = this.#options;
    const found = await this.#find(name);
    const held = new Set((await vault.list(name)).map(({ setting }) => setting));
    return viewSettings(found, await book.read(name, found.manifest.module_version), held);
  }

  /**
   * @param patch merged into what is set, by key; null takes a key back to what is below
   * @throws PlexiError INVALID_INPUT that names everything that is wrong, and as `view`
   */
  async change(name: string, patch: Settings, operator: string): Promise<ChangedSettings> {
    const { refresh, onFailure, modules } = this.#options;
    await this.#changes.take(() => this.#write(name, patch, operator));
    let effect: ChangedSettings['effect'] = 'pending';
    const refreshed = refresh(name).then(
      (how) => {
        effect = how;
      },
      (error: unknown) => onFailure(name, error),
    );
    await settledWithin(refreshed, REFRESH_MS);
    const { state, reasons } = modules.get(name);
    return { ...(await this.view(name)), effect, state, reasons };
  }

  async #write(name: string, patch: Settings, operator: string): Promise<void> {
    const { book, vault } = this.#options;
    const found = await this.#find(name);
    const { module_version: version } = found.manifest;
    const kept = await book.read(name, version);
    const change = planChange(found, kept.settings, patch);
    if (!change.ok) {
      const { errors } = change;
      const words = errors.length === 1 ? 'One setting is' : `${errors.length} settings are`;
      throw new PlexiError('INVALID_INPUT', `${words} not valid.`, { errors });
    }
    const { layer } = change;
    const secrets = change.secrets.map(({ setting, value }) => ({
      setting,
      value: value === null ? null : JSON.stringify(value),
    }));
    await vault.change(name, secrets, operator, (beside) => book.write(name, version, layer, operator, beside));
  }

  async #find(name: string): Promise<FoundModule> {
    const { modules, find } = this.#options;
    const { version } = modules.get(name);
    const found = await find(name);
    if (found !== undefined) return found;
    const why = `What is installed of ${name} ${version} cannot be read now, or is still being looked for.`;
    throw new PlexiError('MODULE_UNAVAILABLE', why, { headers: { 'retry-after': '5' } });
  }
}
