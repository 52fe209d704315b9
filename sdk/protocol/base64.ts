/** Bytes as text and back, by the engine itself: both realms have it, TypeScript's libraries do not know it yet. */
interface Base64Bytes {
  toBase64(): string;
}

const { fromBase64: decode } = Uint8Array as unknown as { fromBase64(text: string): Uint8Array<ArrayBuffer> };

export function toBase64(bytes: Uint8Array): string {
  return (bytes as unknown as Base64Bytes).toBase64();
}

/** @throws SyntaxError */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return decode.call(Uint8Array, text);
}
