/** The headers of a module's request: which it may set, and which of them travel on when a redirect leads elsewhere. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { HeaderPair } from '@plexichat/sdk/protocol/invocation';
import type { RequestSecrets } from './request-secrets.ts';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** Headers that speak of the connection, of other users or of us; a module's request never carries them. */
const REFUSED_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const DEFAULT_HEADERS: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  'user-agent': 'PlexiChat-Modules',
  'accept-encoding': 'identity',
});
const BODY_HEADERS: ReadonlySet<string> = new Set(['content-type', 'content-encoding', 'content-language']);
const HARMLESS_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'content-type',
  'user-agent',
]);

/** Boundary: @throws PlexiError INVALID_CALL */
export function toHeaders(pairs: readonly HeaderPair[], secrets: RequestSecrets): Record<string, string> {
  const headers: Record<string, string> = Object.assign(Object.create(null), DEFAULT_HEADERS);
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    if (!HEADER_NAME.test(key)) throw new PlexiError('INVALID_CALL', 'A header has a name that HTTP does not allow.');
    if (REFUSED_HEADERS.has(key)) throw new PlexiError('INVALID_CALL', `The header ${key} cannot be set by a module.`);
    const filled = secrets.fillHeader(value);
    if (!/^[\x20-\x7e\t\x80-\xff]*$/.test(filled))
      throw new PlexiError('INVALID_CALL', `The header ${key} has a value that HTTP does not allow.`);
    const known = key in DEFAULT_HEADERS ? undefined : headers[key];
    headers[key] = known === undefined ? filled : `${known}, ${filled}`;
  }
  return headers;
}

/** For another origin: tokens, cookies and filled-in secrets stay behind. */
export function forOtherOrigin(headers: Record<string, string>, secrets: RequestSecrets): Record<string, string> {
  return keep(headers, (name, value) => HARMLESS_HEADERS.has(name) && secrets.hide(value) === value);
}

/** For a request that lost its body on the way. */
export function withoutBody(headers: Record<string, string>): Record<string, string> {
  return keep(headers, (name) => !BODY_HEADERS.has(name));
}

function keep(
  headers: Record<string, string>,
  isKept: (name: string, value: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name, value]) => isKept(name, value)));
}
