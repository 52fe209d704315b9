/** What a new token may be: no more than its maker, and no more of them than a host can remember. */
import { randomUUID } from 'node:crypto';
import { TIERS, type Tier } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { TokenKind, TokenRecord } from '../state/token-store.ts';
import type { KnownCaller } from './caller.ts';
import { MAX_TOKEN_LENGTH } from './token.ts';

export interface NewToken {
  readonly id: string;
  readonly kind: TokenKind;
  readonly name: string;
  /** Of whoever makes it, when left out. */
  readonly sub: string | undefined;
  readonly tier: Tier;
  readonly permissions: readonly string[];
  /** Seconds. */
  readonly lifetime: number;
}

export interface TokenLimits {
  /** In force, made by one operator. */
  readonly perOperator: number;
  /** With those that were revoked and are remembered until they would have ended. */
  readonly rememberedPerOperator: number;
  readonly total: number;
}

export const TOKEN_LIMITS: TokenLimits = { perOperator: 100, rememberedPerOperator: 1_000, total: 5_000 };

export function newTokenId(kind: TokenKind): string {
  return `${kind === 'token' ? 'tok' : 'key'}_${randomUUID()}`;
}

/** Boundary: nobody makes a token that may do more than they. @throws PlexiError FORBIDDEN */
export function assertNotBeyond({ tier, permissions }: NewToken, { caller, permissions: held }: KnownCaller): void {
  const beyond = permissions.filter((permission) => !held.has(permission));
  if (beyond.length > 0) {
    throw new PlexiError(
      'FORBIDDEN',
      `A token may do no more than who makes it, and you lack ${beyond.map((one) => JSON.stringify(one)).join(', ')}.`,
    );
  }
  if (TIERS.indexOf(tier) > TIERS.indexOf(caller.tier)) {
    throw new PlexiError(
      'FORBIDDEN',
      `A token is of no higher tier than who makes it; found ${tier}, yours is ${caller.tier}.`,
    );
  }
}

/** @param records all that are remembered @throws PlexiError INVALID_INPUT */
export function assertRoom(records: readonly TokenRecord[], operator: string, now: number, limits: TokenLimits): void {
  const own = records.filter(({ madeBy }) => madeBy === operator);
  const inForce = own.filter(({ revokedAt, expiresAt }) => revokedAt === undefined && now < expiresAt);
  const full = (found: number, allowed: number, of: string): void => {
    if (found < allowed) return;
    throw new PlexiError('INVALID_INPUT', `There are ${found} tokens ${of}; allowed are ${allowed}.`);
  };
  const remembered = 'with revoked ones that are remembered until they end';
  full(inForce.length, limits.perOperator, 'in force that this operator made: revoke some');
  full(own.length, limits.rememberedPerOperator, `of this operator, ${remembered}`);
  full(records.length, limits.total, `of this host, ${remembered}`);
}

/** @throws PlexiError INVALID_INPUT for a token that no host would read */
export function assertReadable({ length }: string): void {
  if (length <= MAX_TOKEN_LENGTH) return;
  const message = `The token would have ${length} characters, and ${MAX_TOKEN_LENGTH} are read: give it fewer permissions.`;
  throw new PlexiError('INVALID_INPUT', message, { errors: [{ path: '/body/permissions', message: 'are too long' }] });
}
