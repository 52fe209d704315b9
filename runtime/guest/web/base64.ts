/** atob and btoa, https://infra.spec.whatwg.org/#forgiving-base64 */
import { DOMException } from './dom-exception.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, value]));

/** Encodes a string whose characters are all bytes. @throws DOMException InvalidCharacterError */
export function btoa(data: unknown): string {
  const binary = `${data}`;
  let encoded = '';
  for (let index = 0; index < binary.length; index += 3) {
    const first = byteAt(binary, index);
    const second = index + 1 < binary.length ? byteAt(binary, index + 1) : undefined;
    const third = index + 2 < binary.length ? byteAt(binary, index + 2) : undefined;
    encoded += ALPHABET.charAt(first >> 2) + ALPHABET.charAt(((first & 3) << 4) | ((second ?? 0) >> 4));
    encoded += second === undefined ? '=' : ALPHABET.charAt(((second & 15) << 2) | ((third ?? 0) >> 6));
    encoded += third === undefined ? '=' : ALPHABET.charAt(third & 63);
  }
  return encoded;
}

/** Decodes base64 to a string of bytes. @throws DOMException InvalidCharacterError */
export function atob(data: unknown): string {
  let text = `${data}`.replace(/[\t\n\f\r ]/g, '');
  if (text.length % 4 === 0) text = text.replace(/==?$/, '');
  if (text.length % 4 === 1) throw invalid('atob: the text is cut off, its length cannot be that of base64.');
  let binary = '';
  let buffer = 0;
  let bits = 0;
  for (const letter of text) {
    const value = VALUES.get(letter);
    if (value === undefined) throw invalid(`atob: ${JSON.stringify(letter)} is no base64 character.`);
    buffer = ((buffer << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    binary += String.fromCharCode((buffer >> bits) & 0xff);
  }
  return binary;
}

function byteAt(binary: string, index: number): number {
  const code = binary.charCodeAt(index);
  if (code > 0xff) throw invalid(`btoa: the character at ${index} is above U+00FF; encode to UTF-8 first.`);
  return code;
}

function invalid(message: string): DOMException {
  return new DOMException(message, 'InvalidCharacterError');
}
