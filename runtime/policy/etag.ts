/** Validators: a strong ETag for small texts, and 304 for a client that already has them. */
import { hash } from 'node:crypto';
import type { CheckedAnswer } from './check-answer.ts';
import type { HeaderRecord } from './response-headers.ts';

const MAX_HASHED_LENGTH = 64 * 1024;

/** Hashing costs a few microseconds, so only answers get a tag that are stored, or that a client asks about. */
export function addEtag(answer: CheckedAnswer): void {
  if (answer.status !== 200 || typeof answer.body !== 'string' || answer.body.length > MAX_HASHED_LENGTH) return;
  answer.headers.etag ??= `"${hash('sha256', answer.body, 'base64url').slice(0, 27)}"`;
}

/** RFC 9110, 13.1.2: weak comparison, `*` matches anything that is there. */
export function isNotModified(ifNoneMatch: string, answer: CheckedAnswer): boolean {
  const etag = answer.headers.etag;
  if (answer.status !== 200 || etag === undefined) return false;
  if (ifNoneMatch === '*' || ifNoneMatch === etag) return true;
  const opaque = etag.replace(/^W\//, '');
  return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === opaque);
}

const KEPT_ON_304 = ['etag', 'cache-control', 'expires', 'vary', 'x-content-type-options', 'x-cache'] as const;

export function notModified(answer: CheckedAnswer): CheckedAnswer {
  const headers: HeaderRecord = {};
  for (const name of KEPT_ON_304) {
    const value = answer.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  return { status: 304, headers, body: null };
}
