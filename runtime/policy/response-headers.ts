/**
 * Boundary: which headers of a module's answer reach a client. An allow-list: cookies, CSP, CORS and every other header
 * that steers a browser's security are the host's to set, never the module's. Others are dropped without a word.
 */
import type { HeaderPair } from '@plexichat/sdk/protocol/invocation';

const MAX_HEADER_BYTES = 32 * 1024;

/** `once`: a second value would mean two things at once. `list`: values are joined with a comma. */
const ALLOWED: ReadonlyMap<string, 'once' | 'list'> = new Map([
  ['content-type', 'once'],
  ['content-disposition', 'once'],
  ['content-language', 'list'],
  ['content-encoding', 'once'],
  ['content-range', 'once'],
  ['accept-ranges', 'once'],
  ['cache-control', 'list'],
  ['etag', 'once'],
  ['last-modified', 'once'],
  ['expires', 'once'],
  ['vary', 'list'],
  ['location', 'once'],
  ['link', 'list'],
  ['retry-after', 'once'],
]);
const OWN_HEADER = /^x-module-[a-z0-9-]{1,64}$/;
/** RFC 9110 field values: visible ASCII, space, tab, and the latin1 bytes above. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}(?:\s*;.*)?$/i;
const ETAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;

export type HeaderRecord = Record<string, string>;

/** What is wrong with a module's answer; for the operator's log only. */
export class BadAnswerError extends Error {
  override readonly name = 'BadAnswerError';
}

/** @throws BadAnswerError */
export function readAnswerHeaders(pairs: readonly HeaderPair[], into: HeaderRecord): HeaderRecord {
  let bytes = 0;
  for (const [rawName, value] of pairs) {
    bytes += rawName.length + value.length + 4;
    if (bytes > MAX_HEADER_BYTES) throw new BadAnswerError(`The headers have more than ${MAX_HEADER_BYTES} bytes.`);
    const name = rawName.toLowerCase();
    const rule = ALLOWED.get(name) ?? (OWN_HEADER.test(name) ? 'list' : undefined);
    if (rule === undefined) continue;
    if (!VALUE.test(value)) throw new BadAnswerError(`The header ${name} has a character that is not allowed.`);
    const known = into[name];
    if (known !== undefined && rule === 'once') throw new BadAnswerError(`The header ${name} is there twice.`);
    into[name] = known === undefined ? value : `${known}, ${value}`;
  }
  checkValues(into);
  return into;
}

function checkValues(headers: HeaderRecord): void {
  const { 'content-type': type, location, etag } = headers;
  if (type !== undefined && !MEDIA_TYPE.test(type)) throw new BadAnswerError('The content-type is not a media type.');
  if (etag !== undefined && !ETAG.test(etag)) throw new BadAnswerError('The etag is not a quoted string.');
  if (location !== undefined && !isWebAddress(location)) {
    throw new BadAnswerError('The location is neither relative nor http(s).');
  }
}

function isWebAddress(location: string): boolean {
  const url = URL.parse(location, 'http://relative.invalid');
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
}
