/** Step: authenticate. Nobody, somebody, or a refusal: a credential that is presented must be good, on any endpoint. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type ApiKey, createApiKeyCheck, digestOfKey } from './api-key.ts';
import type { KnownCaller } from './caller.ts';
import type { FailedLogins, From } from './failed-logins.ts';
import { createTokenCheck, TokenRefusedError, type TokenSettings } from './token.ts';

export interface AuthSettings extends TokenSettings {
  readonly apiKeys?: readonly ApiKey[] | undefined;
  /** Keys that the host made, by their SHA-256 in hexadecimal. */
  readonly findKey?: ((sha256: string) => KnownCaller | undefined) | undefined;
  /** Asked at every request, also for remembered tokens: has the credential with this id been withdrawn? */
  readonly isRevoked?: ((credentialId: string) => boolean) | undefined;
  readonly failedLogins?: FailedLogins | undefined;
}

/**
 * Answers at once whenever it can.
 * @param from whom a credential that is no good counts for; left out, it is not counted
 * @throws PlexiError UNAUTHENTICATED, RATE_LIMITED, HOST_SHEDDING
 */
export type Authenticate = (
  authorization: string | undefined,
  apiKey: string | undefined,
  from?: From,
) => KnownCaller | null | Promise<KnownCaller>;

const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i;

export function createAuthenticate(settings: AuthSettings, now: () => number = Date.now): Authenticate {
  const { failedLogins, findKey, isRevoked } = settings;
  const checkToken = createTokenCheck(settings, now);
  const checkApiKey = createApiKeyCheck(settings.apiKeys ?? []);

  const accept = (caller: KnownCaller, from: From | undefined): KnownCaller => {
    const { credentialId } = caller;
    if (credentialId !== undefined && isRevoked?.(credentialId) === true) {
      if (from !== undefined) failedLogins?.tellWithdrawn(from, credentialId);
      throw unauthenticated('The credential has been withdrawn, or has expired.');
    }
    return caller;
  };

  const callerOfKey = (presented: string, from: From | undefined): KnownCaller => {
    const digest = digestOfKey(presented);
    const made = digest === undefined ? undefined : findKey?.(digest);
    if (made !== undefined) return made;
    // Boundary: from here on it may be a guess.
    if (from !== undefined) failedLogins?.assertOpen(from);
    const configured = digest === undefined ? undefined : checkApiKey(digest);
    if (configured !== undefined) return configured;
    throw counted(failedLogins, from, 'unknown API key', unauthenticated('The API key is not known.'));
  };

  return (authorization, apiKey, from) => {
    if (authorization === undefined && apiKey === undefined) return null;
    if (authorization !== undefined && apiKey !== undefined) {
      throw unauthenticated('Send either Authorization or X-API-Key, not both.');
    }
    if (apiKey !== undefined) return accept(callerOfKey(apiKey, from), from);
    const token = BEARER.exec(authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated('The Authorization header must be "Bearer" and a token.');
    try {
      const caller = checkToken(token);
      if (!(caller instanceof Promise)) return accept(caller, from);
      return caller.then(
        (known) => accept(known, from),
        (error: unknown) => {
          throw refusalOf(error, failedLogins, from);
        },
      );
    } catch (error) {
      throw refusalOf(error, failedLogins, from);
    }
  };
}

export function unauthenticated(message: string): PlexiError {
  const challenge = `Bearer realm="plexi", error="invalid_token", error_description="${message.replaceAll('"', "'")}"`;
  return new PlexiError('UNAUTHENTICATED', message, { headers: { 'www-authenticate': challenge } });
}

/** What this host or its identity provider did sign is no guess: it has ended, or is for somebody else. */
function refusalOf(error: unknown, failedLogins: FailedLogins | undefined, from: From | undefined): PlexiError {
  if (error instanceof PlexiError) return error;
  if (error instanceof TokenRefusedError) {
    const refusal = unauthenticated(error.message);
    return error.isSigned ? refusal : counted(failedLogins, from, 'token that is not valid', refusal);
  }
  return new PlexiError('HOST_SHEDDING', 'The token cannot be checked at the moment.', {
    headers: { 'retry-after': '5' },
    cause: error,
  });
}

function counted(
  failedLogins: FailedLogins | undefined,
  from: From | undefined,
  what: string,
  refusal: PlexiError,
): PlexiError {
  return from === undefined ? refusal : (failedLogins?.count(from, what, refusal) ?? refusal);
}
