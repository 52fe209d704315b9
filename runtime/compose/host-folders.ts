/** What the host itself is made of and steered by: no grant, however wide, opens it to a module. */
import { dirname, join, parse, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostSettings } from '../config/settings-schema.ts';

/** @param settingsFile plexi.yaml, if there is one: it says what is granted */
export function hostFolders(settings: HostSettings, settingsFile: string | undefined): readonly string[] {
  const runtime = join(import.meta.dirname, '..');
  const sdk = join(fileURLToPath(import.meta.resolve('@plexichat/sdk/protocol/errors')), '../..');
  const file = settingsFile === undefined ? [] : [settingsFile];
  return [settings.data, settings.modules, ...file, runtime, sdk, ...packageFolders(runtime)].map((path) =>
    resolve(path),
  );
}

/** Where Node looks for what is imported, from a folder upwards. */
function packageFolders(from: string): string[] {
  const here = join(from, 'node_modules');
  return from === parse(from).root ? [here] : [here, ...packageFolders(dirname(from))];
}
