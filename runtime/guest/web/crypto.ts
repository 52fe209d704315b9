/** crypto.getRandomValues, randomUUID and subtle.digest; randomness grows from 32 bytes of the host. */
import { rngChacha20 } from '@noble/ciphers/chacha.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { DOMException } from './dom-exception.ts';
import { toBytes } from './encoding.ts';
import { platform } from './platform.ts';

const QUOTA_BYTES = 65_536;
const DIGESTS: Readonly<Record<string, (data: Uint8Array) => Uint8Array>> = {
  'SHA-1': sha1,
  'SHA-256': sha256,
  'SHA-384': sha384,
  'SHA-512': sha512,
};

/** `seed` is 32 bytes of the host, never seen by the author: ChaCha20 stretches it. */
const generator = rngChacha20(platform().seed);

const subtle = {
  async digest(algorithm: string | { name: string }, data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer> {
    const name = `${typeof algorithm === 'object' && algorithm !== null ? algorithm.name : algorithm}`.toUpperCase();
    const hash = Object.hasOwn(DIGESTS, name) ? DIGESTS[name] : undefined;
    if (hash === undefined) {
      const known = Object.keys(DIGESTS).join(', ');
      throw new DOMException(`crypto.subtle.digest: ${name} is not known here; use ${known}.`, 'NotSupportedError');
    }
    return toOwnBuffer(hash(toBytes(data)));
  },
};

export const crypto = {
  subtle,

  /** Fills an integer array of at most 65,536 bytes. @throws DOMException */
  getRandomValues<View extends ArrayBufferView>(view: View): View {
    if (!ArrayBuffer.isView(view) || view instanceof DataView || isFloatArray(view)) {
      throw new DOMException('crypto.getRandomValues: an integer array is needed.', 'TypeMismatchError');
    }
    if (view.byteLength > QUOTA_BYTES) {
      throw new DOMException(
        `crypto.getRandomValues: ${view.byteLength} bytes wanted, ${QUOTA_BYTES} are allowed at once.`,
        'QuotaExceededError',
      );
    }
    if (view.byteLength > 0) toBytes(view).set(generator.randomBytes(view.byteLength));
    return view;
  },

  /** A version 4 UUID, RFC 9562. */
  randomUUID(): string {
    const bytes = generator.randomBytes(16);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  },
};

function isFloatArray(view: ArrayBufferView): boolean {
  return /^Float/.test(Object.prototype.toString.call(view).slice(8));
}

function toOwnBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
