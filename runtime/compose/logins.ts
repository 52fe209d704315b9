/** Who gets in besides those of plexi.yaml: tokens and keys that operators made; and what is noticed of those who do not. */
import type { HostSettings } from '../config/settings-schema.ts';
import type { Logger } from '../observability/log.ts';
import { FailedLogins } from '../policy/failed-logins.ts';
import { signToken } from '../policy/sign-token.ts';
import { openTokenBook, type TokenBook } from '../policy/token-book.ts';
import type { SecurityEvents } from '../state/security-events.ts';
import type { State } from '../state/state.ts';

export interface LoginParts {
  readonly secret: Uint8Array;
  readonly state: State;
  readonly events: SecurityEvents;
  readonly log: Logger;
}

export interface Logins {
  readonly tokens: TokenBook;
  readonly failedLogins: FailedLogins;
}

/** What another host revoked is refused here after this long. */
const LOOK_MS = 2_000;
/** In the place of a module's name, and none can have it. */
const HOST = '@host';

/** @throws PlexiError STATE_UNAVAILABLE */
export async function openLogins(
  { auth }: Pick<HostSettings, 'auth'>,
  { secret, state, events, log }: LoginParts,
): Promise<Logins> {
  const { issuer, audience, failed_logins: failed } = auth;
  const tokens = await openTokenBook({
    state,
    sign: (claims) => signToken(secret, { ...claims, issuer, audience }),
    onWarning: (message) => log.warn({}, `tokens: ${message}`),
    onFailure: (error) => log.error({ err: error }, 'tokens could not be read or written; it is tried again'),
    lookMs: LOOK_MS,
  });
  const failedLogins = new FailedLogins({
    limit: failed.limit,
    windowMs: failed.window_seconds * 1000,
    onFailure: (event) => events.record(HOST, event),
  });
  return { tokens, failedLogins };
}
