/**
 * Secrets in a module's request: `{{secret.name}}` is filled in on its way out, and taken out again of what the module
 * gets to see of it.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { hideSecrets } from './egress-hide.ts';
import type { EgressTarget } from './egress-target.ts';

export interface RequestSecrets {
  /** Fills the path and the query of a URL whose host was judged before: a secret never decides where a request goes. */
  fillUrl(url: URL): URL;
  fillHeader(value: string): string;
  /** Puts the placeholders back, where what the other side wrote has the values, in whatever encoding. */
  hide(text: string): string;
}

/** A setting that the module marked writeOnly. */
export interface SecretSetting {
  readonly value: string;
  /** The only hosts that may get it: `api.example.com` or `api.example.com:8443`. Absent: see mayGet. */
  readonly hosts?: readonly string[] | undefined;
}

/** `{{secret.name}}`, as a URL carries it too. */
const PLACEHOLDER = /(?:\{\{|%7B%7B)secret\.([A-Za-z0-9_.-]{1,200})(?:\}\}|%7D%7D)/gi;
/** A percent whose digits would be the first letters of what comes after it: decoded, the secret were another one. */
const OPEN_PERCENT = /%(?:25)*[0-9a-f]?$/i;
/** Each is looked for in all that comes back. */
const MAX_SECRETS = 16;

type Goal = Pick<EgressTarget, 'url' | 'grant' | 'mayBePrivate'>;

/** @param target where the request goes first; at redirects nothing is filled in any more */
export function createRequestSecrets(
  secret: (name: string) => SecretSetting | undefined,
  target: Goal,
): RequestSecrets {
  const used = new Map<string, string>();
  const take = (name: string): string => {
    const setting = secret(name);
    if (setting === undefined) throw new PlexiError('INVALID_CALL', `There is no secret setting "${name}".`);
    assertMayGet(target, name, setting);
    if (!used.has(setting.value) && used.size >= MAX_SECRETS)
      throw new PlexiError('INVALID_CALL', `A request has ${MAX_SECRETS} secrets at most.`);
    used.set(setting.value, `{{secret.${name}}}`);
    return setting.value;
  };
  const fillPart = (text: string): string =>
    text.replace(PLACEHOLDER, (_found, name: string, at: number) => {
      if (OPEN_PERCENT.test(text.slice(0, at)))
        throw new PlexiError('INVALID_CALL', `A percent sign stands right before {{secret.${name}}} in the URL.`);
      return encodeURIComponent(take(name).toWellFormed());
    });
  return {
    fillUrl(url) {
      const filled = new URL(url);
      filled.pathname = fillPart(url.pathname);
      filled.search = fillPart(url.search);
      return filled;
    },
    fillHeader: (value) => value.replace(PLACEHOLDER, (_found, name: string) => take(name)),
    hide: (text) => (used.size === 0 ? text : hideSecrets(text, used)),
  };
}

/**
 * Boundary: a secret goes to the hosts that `x-hosts` of its setting names. Where nothing is named, it goes to a host
 * that the operator granted by its own name: `*.example.com` is a yes to many hosts, and to handing a key to none of them.
 */
function assertMayGet({ url, grant, mayBePrivate }: Goal, name: string, { hosts }: SecretSetting): void {
  const { hostname, host } = url;
  assertUnread(url, name, mayBePrivate);
  if (hosts !== undefined) {
    if (hosts.includes(hostname) || hosts.includes(host)) return;
    throw denied(`the secret ${name} is for ${hosts.length === 0 ? 'no host' : hosts.join(', ')}, not for ${host}`);
  }
  if (grant.capability === 'http' && grant.host === hostname) return;
  throw denied(
    `the secret ${name} goes only to hosts that are granted by name (http:${host}), or that x-hosts of its setting names`,
  );
}

/** Boundary: over http everybody on the way reads along. The way to a service of the operator's own is the operator's. */
function assertUnread({ protocol, hostname, port }: URL, name: string, mayBePrivate: boolean): void {
  if (protocol === 'https:' || mayBePrivate) return;
  const place = `${hostname}:${port === '' ? 80 : port}`;
  throw denied(
    `the secret ${name} goes out over https only; write https://, or let the operator list ${place} in egress.allow_private if it is a service of their own`,
  );
}

function denied(reason: string): PlexiError {
  return new PlexiError('EGRESS_DENIED', `The module may not send that there: ${reason}.`);
}
