/** `X-API-Key`: a random secret of which the host knows only the sha256. */
import { hash } from 'node:crypto';
import type { Tier } from '@plexichat/sdk/protocol/declaration';
import { type KnownCaller, knowCaller } from './caller.ts';

export interface ApiKey {
  readonly id: string;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly sub: string;
  readonly tier: Tier;
  readonly permissions: readonly string[];
}

const MAX_KEY_LENGTH = 512;

/** undefined for what can be no key. */
export function digestOfKey(presented: string): string | undefined {
  if (presented.length === 0 || presented.length > MAX_KEY_LENGTH) return undefined;
  return hash('sha256', presented, 'hex');
}

/**
 * Whose key has this digest; undefined when nobody's. Boundary: keys are found by their hash, never compared: what a
 * caller presents does not steer it, so the time that this takes says nothing about the keys there are.
 */
export function createApiKeyCheck(keys: readonly ApiKey[]): (digest: string) => KnownCaller | undefined {
  const known = new Map(
    keys.map((key) => [
      readDigest(key),
      knowCaller({ id: key.sub, tier: key.tier, permissions: [...key.permissions] }, key.id),
    ]),
  );
  return (digest) => known.get(digest);
}

function readDigest(key: ApiKey): string {
  if (!/^[0-9a-f]{64}$/i.test(key.sha256)) {
    throw new Error(`auth.apiKeys: the sha256 of key ${key.id} must be 64 hexadecimal digits.`);
  }
  return key.sha256.toLowerCase();
}
