/** Step: body limit. What the client says about its body, before a byte of it is read. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

export interface BodyLimits {
  /** Bodies that are held in memory: JSON, and small texts. */
  readonly bodyBytes: number;
  /** Bodies that are streamed to the module. */
  readonly uploadBytes: number;
}

/** `json` is held and checked, `text` is small enough to be held, `stream` goes through. */
export type BodyKind = 'none' | 'json' | 'text' | 'stream';

const MAX_TEXT_BYTES = 64 * 1024;
const JSON_TYPE = /^\s*application\/(?:json|[a-z0-9!#$&^_.-]+\+json)\s*(?:;|$)/i;
const TEXT_TYPE = /^\s*(?:text\/[a-z0-9.+-]+|application\/x-www-form-urlencoded)\s*(?:;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/i;

/** @throws PlexiError PAYLOAD_TOO_LARGE, MALFORMED_BODY */
export function limitBody(contentType: string | undefined, length: number | undefined, limits: BodyLimits): BodyKind {
  if (length === 0) return 'none';
  const kind = kindOf(contentType, length);
  const limit = kind === 'stream' ? limits.uploadBytes : limits.bodyBytes;
  if (length !== undefined && length > limit) throw tooLarge(limit);
  return kind;
}

export function tooLarge(limit: number): PlexiError {
  return new PlexiError('PAYLOAD_TOO_LARGE', `The body may have at most ${limit} bytes.`);
}

/**
 * Boundary: what the host reads itself is never unpacked, so that no small body becomes a large one. Uploads go through as
 * they are. @throws PlexiError MALFORMED_BODY with 415
 */
export function assertNotEncoded(contentEncoding: string | undefined): void {
  if (contentEncoding === undefined || contentEncoding.toLowerCase() === 'identity') return;
  throw new PlexiError('MALFORMED_BODY', 'A body that the host reads must be sent without Content-Encoding.', {
    status: 415,
    headers: { 'accept-encoding': 'identity' },
  });
}

function kindOf(contentType: string | undefined, length: number | undefined): BodyKind {
  if (contentType === undefined) return 'stream';
  if (JSON_TYPE.test(contentType)) {
    if (isUtf8(contentType)) return 'json';
    throw new PlexiError('MALFORMED_BODY', 'JSON must be sent as UTF-8.');
  }
  const small = length !== undefined && length <= MAX_TEXT_BYTES;
  return small && TEXT_TYPE.test(contentType) && isUtf8(contentType) ? 'text' : 'stream';
}

function isUtf8(contentType: string): boolean {
  const charset = CHARSET.exec(contentType)?.[1];
  return charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset);
}
