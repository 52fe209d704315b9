/** Step: authenticate. Nobody, somebody, or a refusal: a credential that is presented must be good, on any endpoint. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type ApiKey, createApiKeyCheck } from './api-key.ts';
import type { KnownCaller } from './caller.ts';
import { createTokenCheck, TokenRefusedError, type TokenSettings } from './token.ts';

export interface AuthSettings extends TokenSettings {
  readonly apiKeys?: readonly ApiKey[] | undefined;
  /** Asked at every request, also for remembered tokens: has the credential with this id been withdrawn? */
  readonly isRevoked?: ((credentialId: string) => boolean) | undefined;
}

/** Answers at once whenever it can. @throws PlexiError UNAUTHENTICATED, HOST_SHEDDING */
export type Authenticate = (
  authorization: string | undefined,
  apiKey: string | undefined,
) => KnownCaller | null | Promise<KnownCaller>;

const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i;

export function createAuthenticate(settings: AuthSettings, now: () => number = Date.now): Authenticate {
  const checkToken = createTokenCheck(settings, now);
  const checkApiKey = createApiKeyCheck(settings.apiKeys ?? []);

  const accept = (caller: KnownCaller): KnownCaller => {
    if (caller.credentialId !== undefined && settings.isRevoked?.(caller.credentialId) === true) {
      throw unauthenticated('The credential has been withdrawn.');
    }
    return caller;
  };

  return (authorization, apiKey) => {
    if (authorization === undefined && apiKey === undefined) return null;
    if (authorization !== undefined && apiKey !== undefined) {
      throw unauthenticated('Send either Authorization or X-API-Key, not both.');
    }
    if (apiKey !== undefined) {
      const caller = checkApiKey(apiKey);
      if (caller === undefined) throw unauthenticated('The API key is not known.');
      return accept(caller);
    }
    const token = BEARER.exec(authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated('The Authorization header must be "Bearer" and a token.');
    try {
      const caller = checkToken(token);
      return caller instanceof Promise ? caller.then(accept, refuse) : accept(caller);
    } catch (error) {
      return refuse(error);
    }
  };
}

export function unauthenticated(message: string): PlexiError {
  const challenge = `Bearer realm="plexi", error="invalid_token", error_description="${message.replaceAll('"', "'")}"`;
  return new PlexiError('UNAUTHENTICATED', message, { headers: { 'www-authenticate': challenge } });
}

function refuse(error: unknown): never {
  if (error instanceof PlexiError) throw error;
  if (error instanceof TokenRefusedError) throw unauthenticated(error.message);
  throw new PlexiError('HOST_SHEDDING', 'The token cannot be checked at the moment.', {
    headers: { 'retry-after': '5' },
    cause: error,
  });
}
