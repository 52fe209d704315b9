/**
 * Whether a module is in debug mode. Boundary: its own config.yaml says so for nobody but itself; what makes it stop, and
 * show things to operators, is an operator's word: the environment, a setting of the module, or `diagnostics` of the host.
 */
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import type { SettingsBook } from './settings-book.ts';

export interface DebugModeOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Named in the host's settings. */
  readonly diagnostics: readonly string[];
  readonly settings: Pick<SettingsBook, 'read'>;
  /** Once for each module that is in debug mode by its own word only. */
  readonly onRefused: (module: string, message: string) => void;
}

type DebugManifest = Pick<Manifest, 'module_name' | 'module_version' | 'settings'>;

/** @returns a check of the settings in force. It throws PlexiError STATE_UNAVAILABLE */
export function createDebugMode(options: DebugModeOptions): (manifest: DebugManifest) => Promise<boolean> {
  const { environment, diagnostics, settings, onRefused } = options;
  const refused = new Set<string>();
  return async ({ module_name: name, module_version: version, settings: { debug } }) => {
    if (!debug) return false;
    if (diagnostics.includes(name) || isInEnvironment(environment, name)) return true;
    if ((await settings.read(name, version)).settings.debug === true) return true;
    if (!refused.has(name)) onRefused(name, ownWord(name));
    refused.add(name);
    return false;
  };
}

/** Its keys have any case, as those of all settings. */
function isInEnvironment(environment: DebugModeOptions['environment'], name: string): boolean {
  const prefix = `PLEXI_MODULE__${name.toUpperCase()}__`;
  return Object.entries(environment).some(
    ([variable, text]) =>
      variable.startsWith(prefix) &&
      variable.slice(prefix.length).toLowerCase() === 'settings__debug' &&
      text?.trim() === 'true',
  );
}

function ownWord(name: string): string {
  return `passes its breakpoints: settings.debug of its own config.yaml is not enough. "plexi modules settings ${name} --set debug=true", or ${name} under diagnostics of the host`;
}
