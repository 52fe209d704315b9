/**
 * Secrets in a module's request: `{{secret.name}}` is filled in on its way out, and taken out again of what the module
 * gets to see of it.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

export interface RequestSecrets {
  /** Fills the path and the query of a URL whose host was judged before: a secret never decides where a request goes. */
  fillUrl(url: URL): URL;
  fillHeader(value: string): string;
  /** Puts the placeholders back, where an address that the other side built on ours has the values. */
  hide(text: string): string;
}

/** `{{secret.name}}`, as a URL carries it too. */
const PLACEHOLDER = /(?:\{\{|%7B%7B)secret\.([A-Za-z0-9_.-]{1,200})(?:\}\}|%7D%7D)/gi;
/** What is shorter is no secret, and replacing it would garble everything. */
const MIN_HIDDEN_LENGTH = 4;

/** @param secret the value of a setting that the module marked writeOnly */
export function createRequestSecrets(secret: (name: string) => string | undefined): RequestSecrets {
  const used = new Map<string, string>();
  const fill = (text: string, write: (value: string) => string): string =>
    text.replace(PLACEHOLDER, (_found, name: string) => {
      const value = secret(name);
      if (value === undefined) throw new PlexiError('INVALID_CALL', `There is no secret setting "${name}".`);
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
