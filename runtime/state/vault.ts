/**
 * Seals texts with AES-256-GCM. A sealed text names its key, and opens only at the place that it was sealed for: moved to
 * another module or another setting, cut or changed, it does not open at all.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Keyring, VaultKey } from './vault-key.ts';

export interface SealedPlace {
  readonly module: string;
  readonly setting: string;
}

/** The message names the place and never the value. */
export class UnsealError extends Error {
  override readonly name = 'UnsealError';
}

const FORM = 'v1';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /^v1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})$/;

/** `v1.KEYID.IV.CIPHERTEXT+TAG`. */
export function seal(text: string, place: SealedPlace, { current }: Pick<Keyring, 'current'>): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', current.bytes, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(placeBytes(place, current));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return [FORM, current.id, iv.toString('base64url'), sealed.toString('base64url')].join('.');
}

/** @throws UnsealError when it was not sealed for this place, by one of these keys, exactly so */
export function unseal(sealed: string, place: SealedPlace, { current, old }: Keyring): string {
  const [, keyId, iv = '', content = ''] = SEALED.exec(sealed) ?? [];
  if (keyId === undefined) throw unreadable(place, 'it was changed or cut');
  const key = [current, ...old].find(({ id }) => id === keyId);
  if (key === undefined) throw unreadable(place, `the key ${keyId} that it was sealed with is not here`);
  const bytes = Buffer.from(content, 'base64url');
  // One text per sealed value: no second spelling of the same bytes.
  if (bytes.toString('base64url') !== content) throw unreadable(place, 'it was changed or cut');
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, Buffer.from(iv, 'base64url'), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(placeBytes(place, key));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    throw unreadable(place, 'it was changed, cut, or belongs elsewhere');
  }
}

export function isSealedWith(sealed: string, key: VaultKey): boolean {
  return sealed.startsWith(`${FORM}.${key.id}.`);
}

/** Boundary: no two places give the same bytes, since neither name may hold a NUL. */
function placeBytes({ module, setting }: SealedPlace, key: VaultKey): Buffer {
  return Buffer.from(['plexi-secret', FORM, key.id, module, setting].join('\0'), 'utf8');
}

function unreadable({ module, setting }: SealedPlace, why: string): UnsealError {
  return new UnsealError(`The secret setting ${setting} of ${module} cannot be opened: ${why}.`);
}
