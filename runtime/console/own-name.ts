/** A console on loopback goes by loopback names only: a name of elsewhere that leads here was bent to this machine. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { createMiddleware } from 'hono/factory';
import type { GatewayEnv } from '../gateway/env.ts';

const OWN_NAME = /^(?:(?:[a-z0-9-]+\.)*localhost\.?|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** Boundary: DNS rebinding. A browser takes such a page for one of the console's own origin. @throws PlexiError FORBIDDEN */
export const ownNameOnly = createMiddleware<GatewayEnv>(async ({ req }, next) => {
  const host = req.header('host') ?? new URL(req.url).host;
  if (OWN_NAME.test(host)) return next();
  throw new PlexiError(
    'FORBIDDEN',
    `The console listens on loopback and does not go by the name ${host}; open it at localhost, or set trust_proxy when a proxy stands in front.`,
  );
});
