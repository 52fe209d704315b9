/** One id per request, in its answer, its log lines and its invocation. The client's own is taken when it is harmless. */
import { randomBytes } from 'node:crypto';

const ACCEPTED = /^[A-Za-z0-9_-]{8,64}$/;
const prefix = randomBytes(6).toString('base64url');
let count = 0;

export function requestIdOf(presented: string | undefined): string {
  if (presented !== undefined && ACCEPTED.test(presented)) return presented;
  count += 1;
  return `${prefix}-${count.toString(36).padStart(6, '0')}`;
}
