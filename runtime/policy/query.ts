/** Reads a query string: strict about encoding and size, names without meaning (no prototype), repeated names as lists. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { RawRecord } from './convert.ts';

const MAX_PAIRS = 500;
const NONE: RawRecord = Object.freeze(Object.create(null));

/** @throws PlexiError INVALID_INPUT */
export function parseQuery(search: string): RawRecord {
  if (search === '') return NONE;
  // The module would read it as the start of a fragment.
  if (search.includes('#')) throw invalid('/query', 'must have "#" encoded as %23');
  const query: Record<string, string | string[]> = Object.create(null);
  let pairs = 0;
  for (const pair of search.split('&')) {
    if (pair === '') continue;
    pairs += 1;
    if (pairs > MAX_PAIRS) throw invalid('/query', `must have at most ${MAX_PAIRS} values`);
    const split = pair.indexOf('=');
    const name = decode(split === -1 ? pair : pair.slice(0, split));
    const value = split === -1 ? '' : decode(pair.slice(split + 1));
    const known = query[name];
    if (known === undefined) query[name] = value;
    else if (typeof known === 'string') query[name] = [known, value];
    else known.push(value);
  }
  // A name that becomes the prototype as soon as someone copies the record.
  if ('__proto__' in query) throw invalid('/query/__proto__', 'is not an allowed name');
  return query;
}

/** The same text for the same values, whatever the order of their names; the order of one name's values stays. */
export function canonicalSearch(search: string): string {
  if (!search.includes('&')) return search;
  // `%61` is `a`: sorted by the names that the module sees, so that the order of one name's values stays.
  const pairs = search.split('&').map((pair) => ({ pair, name: decode(pair.split('=', 1)[0] ?? '') }));
  pairs.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
  return pairs.map(({ pair }) => pair).join('&');
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw invalid('/query', 'must be percent-encoded UTF-8');
  }
}

function invalid(path: string, message: string): PlexiError {
  return new PlexiError('INVALID_INPUT', 'The query is not valid.', { errors: [{ path, message }] });
}
