/** Callers for the load generator: each with a rate of its own, so that no limit is met. */
import { signToken } from '../../../runtime/policy/sign-token.ts';

const CALLERS = 64;

export function signTokens(secret: Uint8Array): Promise<string[]> {
  return Promise.all(
    Array.from({ length: CALLERS }, (_, number) =>
      signToken(secret, { sub: `caller-${number}`, tier: 'basic', permissions: ['read'], lifetime: 3600 }),
    ),
  );
}
