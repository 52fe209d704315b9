/**
 * Boundary: one path means one thing. What two readers could read differently (dot segments, doubled or encoded
 * slashes, backslashes, control characters, broken percent-encoding) is refused, never normalised into another route.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

const MAX_PATH_LENGTH = 2048;

/** Segments of plain characters that do not start with a dot: nothing to think about. */
const PLAIN = /^(?:\/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)+\/?$/;
const ALLOWED = /^(?=\/)(?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*\/?$/;
const CONFUSING_ESCAPE = /%(?:2[eEfF]|5[cC]|[01][0-9A-Fa-f]|7[fF])/;
/** RFC 3986, 6.2.2.2: a letter, digit, `-`, `_` or `~` means the same encoded; who reads only one form is led around. */
const NEEDLESS_ESCAPE = /%(?:3[0-9]|4[1-9A-Fa-f]|5[0-9Aa]|6[1-9A-Fa-f]|7[0-9Aa]|2[dD]|5[fF]|7[eE])/;
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;

/** @throws PlexiError NOT_FOUND */
export function assertPlainPath(path: string): void {
  if (path.length > MAX_PATH_LENGTH) refuse(`has ${path.length} characters; at most ${MAX_PATH_LENGTH} are allowed`);
  if (PLAIN.test(path)) return;
  if (CONFUSING_ESCAPE.test(path)) refuse('has an encoded dot, slash, backslash or control character');
  if (NEEDLESS_ESCAPE.test(path)) refuse('has a letter, digit, "-", "_" or "~" that is encoded without need');
  if (DOT_SEGMENT.test(path)) refuse('has a "." or ".." segment');
  if (!ALLOWED.test(path)) refuse('has an empty segment, a character that must be encoded, or broken encoding');
  decodeSegment(path);
}

/** @throws PlexiError NOT_FOUND when it is not UTF-8 */
export function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return refuse('is not percent-encoded UTF-8');
  }
}

function refuse(what: string): never {
  throw new PlexiError('NOT_FOUND', `The path ${what}.`);
}
