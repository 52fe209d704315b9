import { PlexiError } from '@plexichat/sdk/protocol/errors';

/** @throws PlexiError METHOD_NOT_ALLOWED, always */
export function refuseMethod(allow: string): never {
  throw new PlexiError('METHOD_NOT_ALLOWED', `Only ${allow} is allowed here.`, { headers: { allow } });
}
