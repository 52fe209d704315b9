/** `X-API-Key`: a random secret of which the host knows only the sha256. */
import { hash, timingSafeEqual } from 'node:crypto';
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

/** undefined when nobody has this key. Every known key is compared, whole, whatever was presented. */
export function createApiKeyCheck(keys: readonly ApiKey[]): (presented: string) => KnownCaller | undefined {
  const known = keys.map((key) => ({
    digest: readDigest(key),
    caller: knowCaller({ id: key.sub, tier: key.tier, permissions: [...key.permissions] }, key.id),
  }));
  return (presented) => {
    if (presented.length === 0 || presented.length > MAX_KEY_LENGTH) return undefined;
    const digest = hash('sha256', presented, 'buffer');
    let found: KnownCaller | undefined;
    for (const key of known) if (timingSafeEqual(key.digest, digest)) found = key.caller;
    return found;
  };
}

function readDigest(key: ApiKey): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(key.sha256)) {
    throw new Error(`auth.apiKeys: the sha256 of key ${key.id} must be 64 hexadecimal digits.`);
  }
  return Buffer.from(key.sha256, 'hex');
}
