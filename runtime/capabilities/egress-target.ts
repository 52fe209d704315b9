/** Reads the URL of a module's request and says whether the module was granted to go there. Pure. */
import { isIP } from 'node:net';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Permission } from './permission.ts';
import { covers } from './permission-cover.ts';

export interface EgressTarget {
  readonly url: URL;
  /** What lets it go there. */
  readonly grant: Permission;
  /** The operator allowed this host and port to have a private address. */
  readonly mayBePrivate: boolean;
}

const USUAL_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Boundary: @throws PlexiError EGRESS_DENIED, INVALID_CALL */
export function readTarget(
  text: string,
  granted: readonly Permission[],
  allowPrivate: ReadonlySet<string>,
): EgressTarget {
  const url = URL.parse(text);
  if (url === null)
    throw new PlexiError('INVALID_CALL', `${JSON.stringify(text.slice(0, 200))} is not an absolute URL.`);
  const usualPort = USUAL_PORTS[url.protocol];
  if (usualPort === undefined) throw denied(`${url.protocol} is not http: or https:`);
  if (url.username !== '' || url.password !== '') throw denied('a URL may not carry a user name or password');
  const host = url.hostname;
  if (isIP(host) !== 0 || host.startsWith('[')) throw denied(`${host} is an IP address, name the host`);
  // Boundary: a star stands for names in a grant; as the name itself it would be covered by that very grant.
  if (host.includes('*')) throw denied(`${host} is no host name`);
  const port = url.port === '' ? usualPort : Number(url.port);
  const asked: Permission = port === usualPort ? { capability: 'http', host } : { capability: 'http', host, port };
  const grant = granted.find((one) => covers(one, asked) || covers(one, { ...asked, port }));
  if (grant === undefined) {
    throw denied(`it needs the permission http:${host}${port === usualPort ? '' : `:${port}`}`);
  }
  return { url, grant, mayBePrivate: allowPrivate.has(`${host}:${port}`) };
}

function denied(reason: string): PlexiError {
  return new PlexiError('EGRESS_DENIED', `The module may not go there: ${reason}.`);
}
