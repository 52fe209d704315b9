/** One-time logins: a code is good once, for ten minutes, and only its hash is kept. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Operator } from './session.ts';

export interface LoginCodes {
  issue(operator: Operator): string;
  /** undefined for a code that is unknown, used or too old. */
  redeem(code: string): Operator | undefined;
}

const CODE_BYTES = 32;
const LIFETIME_MS = 10 * 60_000;
/** The oldest goes when there are more. */
const MAX_OPEN = 100;
const CODE = /^[A-Za-z0-9_-]{43}$/;

interface OpenLogin {
  readonly digest: Buffer;
  readonly operator: Operator;
  readonly endsAt: number;
}

export function createLoginCodes(now: () => number = Date.now): LoginCodes {
  let open: readonly OpenLogin[] = [];
  return {
    issue(operator) {
      const code = randomBytes(CODE_BYTES).toString('base64url');
      const login = { digest: digestOf(code), operator, endsAt: now() + LIFETIME_MS };
      open = [...open.filter(({ endsAt }) => now() < endsAt), login].slice(-MAX_OPEN);
      return code;
    },
    redeem(code) {
      if (!CODE.test(code)) return undefined;
      const digest = digestOf(code);
      // Boundary: every open login is compared, whole, whatever was presented.
      let found: OpenLogin | undefined;
      for (const login of open) if (timingSafeEqual(login.digest, digest)) found = login;
      if (found === undefined) return undefined;
      open = open.filter((login) => login !== found);
      return now() < found.endsAt ? found.operator : undefined;
    },
  };
}

function digestOf(code: string): Buffer {
  return hash('sha256', code, 'buffer');
}
