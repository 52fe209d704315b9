/** What this host granted, what was set for its modules and is kept secret, whom it lets in, and what it noticed: opened first, closed last. */
import type { HostSettings } from '../config/settings-schema.ts';
import { type GrantBook, openGrantBook } from '../modules/grant-book.ts';
import { SettingsBook } from '../modules/settings-book.ts';
import type { Logger } from '../observability/log.ts';
import { printable } from '../observability/printable.ts';
import { SecretVault } from '../state/secret-vault.ts';
import { SecurityEvents } from '../state/security-events.ts';
import type { State } from '../state/state.ts';
import { type Logins, openLogins } from './logins.ts';

export interface SecurityParts {
  readonly dataFolder: string;
  /** Signs the tokens of this host. */
  readonly secret: Uint8Array;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly state: State;
  readonly log: Logger;
}

export interface Security extends Logins {
  readonly grants: GrantBook;
  readonly vault: SecretVault;
  readonly settings: SettingsBook;
  readonly events: SecurityEvents;
  close(): Promise<void>;
}

/** @throws VaultKeyError, PlexiError STATE_UNAVAILABLE */
export async function openSecurity(
  settings: Pick<HostSettings, 'grants' | 'auth'>,
  { dataFolder, secret, environment, state, log }: SecurityParts,
): Promise<Security> {
  const events = new SecurityEvents({
    state,
    onEvent: ({ module, kind, name, details }) =>
      log.warn({ module, security: true, kind, name: printable(name), details: printable(details) }, 'security event'),
    onFailure: (error) => log.error({ err: error }, 'security events could not be written; they are tried again'),
  });
  const vault = new SecretVault({
    folder: dataFolder,
    state,
    environment,
    onNotice: (message) => log.warn({}, `vault: ${message}`),
  });
  await vault.open();
  const grants = await openGrantBook({
    state,
    settings: settings.grants,
    onWarning: (module, message) => log.warn({ module }, message),
    onFailure: (error) => log.error({ err: error }, 'the uses of grants could not be written; they are tried again'),
  });
  const logins = await openLogins(settings, { secret, state, events, log });
  return {
    ...logins,
    grants,
    vault,
    settings: new SettingsBook({ state }),
    events,
    close: async () => {
      await Promise.all([grants.close(), logins.tokens.close(), events.close()]);
    },
  };
}
