/**
 * Secrets in a module's request: `{{secret.name}}` is filled in on its way out, and taken out again of what the module
 * gets to see of it.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { EgressTarget } from './egress-target.ts';

export interface RequestSecrets {
  /** Fills the path and the query of a URL whose host was judged before: a secret never decides where a request goes. */
  fillUrl(url: URL): URL;
  fillHeader(value: string): string;
  /** Puts the placeholders back, where an address that the other side built on ours has the values. */
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
/** What is shorter is no secret, and replacing it would garble everything. */
const MIN_HIDDEN_LENGTH = 4;

/** @param target where the request goes first; at redirects nothing is filled in any more */
export function createRequestSecrets(
  secret: (name: string) => SecretSetting | undefined,
  target: Pick<EgressTarget, 'url' | 'grant'>,
): RequestSecrets {
  const used = new Map<string, string>();
  const fill = (text: string, write: (value: string) => string): string =>
    text.replace(PLACEHOLDER, (_found, name: string) => {
      const setting = secret(name);
      if (setting === undefined) throw new PlexiError('INVALID_CALL', `There is no secret setting "${name}".`);
      assertMayGet(target, name, setting);
      const { value } = setting;
      const written = write(value);
      for (const form of [value, written]) if (form.length >= MIN_HIDDEN_LENGTH) used.set(form, `{{secret.${name}}}`);
      return written;
    });
  const encode = (value: string): string => encodeURIComponent(value.toWellFormed());
  return {
    fillUrl(url) {
      const filled = new URL(url);
      filled.pathname = fill(url.pathname, encode);
      filled.search = fill(url.search, encode);
      return filled;
    },
    fillHeader: (value) => fill(value, (filled) => filled),
    hide(text) {
      let hidden = text;
      for (const [value, placeholder] of used) hidden = hidden.replaceAll(value, placeholder);
      return hidden;
    },
  };
}

/**
 * Boundary: a secret goes to the hosts that `x-hosts` of its setting names. Where nothing is named, it goes to a host
 * that the operator granted by its own name: `*.example.com` is a yes to many hosts, and to handing a key to none of them.
 */
function assertMayGet(
  { url, grant }: Pick<EgressTarget, 'url' | 'grant'>,
  name: string,
  { hosts }: SecretSetting,
): void {
  const { hostname, host } = url;
  if (hosts !== undefined) {
    if (hosts.includes(hostname) || hosts.includes(host)) return;
    throw denied(`the secret ${name} is for ${hosts.length === 0 ? 'no host' : hosts.join(', ')}, not for ${host}`);
  }
  if (grant.capability === 'http' && grant.host === hostname) return;
  throw denied(
    `the secret ${name} goes only to hosts that are granted by name (http:${host}), or that x-hosts of its setting names`,
  );
}

function denied(reason: string): PlexiError {
  return new PlexiError('EGRESS_DENIED', `The module may not send that there: ${reason}.`);
}
