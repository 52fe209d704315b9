/** signature.json: who signed a package. What is signed is the SHA-256 of integrity.json, and that names every file. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { PUBLISHER_PATTERN } from '../config/publisher-key.ts';
import { PACKAGE_BOUNDS } from './package-bounds.ts';
import { readStrictJson } from './strict-json.ts';

const SignatureSchema = Type.Object(
  {
    publisher: Type.String({ pattern: PUBLISHER_PATTERN }),
    signature: Type.String({ pattern: '^[A-Za-z0-9+/]{86}==$' }),
  },
  { additionalProperties: false },
);
type Signature = Static<typeof SignatureSchema>;
const check = Compile(SignatureSchema);

export type VerifiedSignature =
  | { readonly ok: true; readonly publisher: string }
  | { readonly ok: false; readonly message: string };

export function verifySignature(text: Uint8Array, integrity: Uint8Array): VerifiedSignature {
  const content = readStrictJson(text, PACKAGE_BOUNDS.signatureBytes);
  if (!check.Check(content) || !isCanonical(content)) {
    const message = 'it must be { "publisher": an Ed25519 key, "signature": … }, both in base64, and nothing more';
    return { ok: false, message };
  }
  const { publisher, signature } = content;
  try {
    if (verify(null, digest(integrity), toKey(publisher), Buffer.from(signature, 'base64')))
      return { ok: true, publisher };
  } catch {
    return { ok: false, message: 'the publisher is no Ed25519 key' };
  }
  return { ok: false, message: `it is not the signature of ${publisher} for this package` };
}

/** The text of signature.json. */
export function writeSignature(integrity: Uint8Array, key: KeyObject): string {
  const content: Signature = {
    publisher: publisherOf(key),
    signature: sign(null, digest(integrity), key).toString('base64'),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

export function publisherOf(key: KeyObject): string {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return Buffer.from(x, 'base64url').toString('base64');
}

/** A private key as PEM (PKCS #8). */
export function newSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** @throws Error when it is no Ed25519 key */
export function readSigningKey(pem: string): KeyObject {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it is a key for ${key.asymmetricKeyType}`);
  return key;
}

/** One key, one text: base64 leaves bits unused in which a second spelling could hide. */
function isCanonical({ publisher, signature }: Signature): boolean {
  return [publisher, signature].every((text) => Buffer.from(text, 'base64').toString('base64') === text);
}

function toKey(publisher: string): KeyObject {
  const x = Buffer.from(publisher, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function digest(integrity: Uint8Array): Buffer {
  return createHash('sha256').update(integrity).digest();
}
