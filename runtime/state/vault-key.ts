/** Keys of the vault: 32 bytes each, named by a hash of theirs, so that every sealed text says which key opens it. */
import { createHmac } from 'node:crypto';

export interface VaultKey {
  /** 16 hexadecimal digits; says nothing about the key. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

export interface Keyring {
  /** Seals. */
  readonly current: VaultKey;
  /** Open what was sealed before: a rotation has not come to its end. */
  readonly old: readonly VaultKey[];
}

/** The key is there, and nobody can use it; the message never shows it. */
export class VaultKeyError extends Error {
  override readonly name = 'VaultKeyError';
}

export const KEY_BYTES = 32;

export function toVaultKey(bytes: Uint8Array): VaultKey {
  if (bytes.length !== KEY_BYTES) throw new VaultKeyError(`A key has ${KEY_BYTES} bytes, not ${bytes.length}.`);
  return { id: createHmac('sha256', bytes).update('plexi vault key id').digest('hex').slice(0, 16), bytes };
}

/** @param where names the text in the message: `PLEXI_VAULT_KEY` @throws VaultKeyError */
export function parseVaultKey(text: string, where: string): VaultKey {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return toVaultKey(Buffer.from(trimmed, 'hex'));
  if (/^[A-Za-z0-9+/]{43}=$/.test(trimmed)) return toVaultKey(Buffer.from(trimmed, 'base64'));
  // Boundary: whatever it is, it was meant to be a secret.
  throw new VaultKeyError(
    `${where} holds no key; allowed are 32 random bytes as 64 hexadecimal digits or as base64: openssl rand -hex 32`,
  );
}
