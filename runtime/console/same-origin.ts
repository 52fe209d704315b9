/** What changes something must come from a page of this very host: a cookie alone is no proof that the operator meant it. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { createMiddleware } from 'hono/factory';
import type { GatewayEnv } from '../gateway/env.ts';
import { placeOf } from './request-place.ts';

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD']);
const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** Refuses unsafe requests from elsewhere, and bodies that a form of another site could send. */
export function sameOriginOnly(trustedProxies: number) {
  return createMiddleware<GatewayEnv>(async (context, next) => {
    if (!SAFE.has(context.req.method)) {
      const { origin } = placeOf(context, trustedProxies);
      assertSameOrigin(context.req.header('sec-fetch-site'), context.req.header('origin'), origin);
      if (hasBody(context.req.raw)) assertJson(context.req.header('content-type'));
    }
    await next();
  });
}

/** Boundary: browsers let no page write either header; a request with neither proves nothing and is refused. */
function assertSameOrigin(site: string | undefined, presented: string | undefined, own: string | undefined): void {
  if (site === 'same-origin') return;
  if (site === undefined && presented !== undefined && presented === own) return;
  const found = site === undefined ? `Origin ${presented ?? '(none)'}` : `Sec-Fetch-Site ${site}`;
  throw new PlexiError(
    'FORBIDDEN',
    `The console changes something only when its own page asks; found ${found}, allowed is Sec-Fetch-Site same-origin, or Origin ${own ?? 'of a valid host'}.`,
  );
}

function assertJson(type: string | undefined): void {
  if (type !== undefined && JSON_TYPE.test(type)) return;
  throw new PlexiError('MALFORMED_BODY', 'A body here is JSON; send it with Content-Type: application/json.');
}

function hasBody(request: Request): boolean {
  const length = request.headers.get('content-length');
  if (request.headers.has('transfer-encoding')) return true;
  return length === null ? request.body !== null : length !== '0';
}
