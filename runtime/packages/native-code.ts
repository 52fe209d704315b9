/** Programs of the machine: no module may bring one, whatever its file is called. */
import { extname } from 'node:path/posix';

const EXTENSIONS = new Set(['.node', '.so', '.dll', '.dylib', '.exe', '.a', '.o', '.lib', '.com', '.msi', '.jar']);

export function isNativeName(path: string): boolean {
  return EXTENSIONS.has(extname(path).toLowerCase()) || /\.so\.[0-9.]+$/i.test(path);
}

const MAGIC: readonly (readonly [kind: string, bytes: string])[] = [
  ['ELF', '7f454c46'],
  ['Mach-O', 'feedface'],
  ['Mach-O', 'feedfacf'],
  ['Mach-O', 'cefaedfe'],
  ['Mach-O', 'cffaedfe'],
  ['Mach-O', 'cafebabe'],
  ['Mach-O', 'cafebabf'],
  ['static library', '213c617263683e0a'],
];

/** @returns what kind of program the bytes are */
export function nativeKind(content: Uint8Array): string | undefined {
  const head = Buffer.from(content.buffer, content.byteOffset, Math.min(content.length, 64));
  const known = MAGIC.find(([, bytes]) => head.toString('hex', 0, bytes.length / 2) === bytes);
  if (known !== undefined) return known[0];
  // Two letters begin many a text; the header of a program holds bytes that no text has.
  return head.toString('latin1', 0, 2) === 'MZ' && head.includes(0) ? 'Windows' : undefined;
}
