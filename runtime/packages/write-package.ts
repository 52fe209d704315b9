/** Writes the ZIP of a module: the same bytes for the same files, on every machine and at every time. */
import { createHash, type KeyObject } from 'node:crypto';
import { zipSync } from 'fflate';
import { byPath, writeIntegrity } from './integrity.ts';
import { INTEGRITY_FILE, SIGNATURE_FILE } from './package-layout.ts';
import { writeSignature } from './signature.ts';

/**
 * @param files path → content; an integrity.json and a signature.json among them are made anew, or left out
 * @param key signs it
 */
export function writePackage(files: ReadonlyMap<string, Uint8Array>, key?: KeyObject): Uint8Array {
  const content = new Map(files);
  content.delete(SIGNATURE_FILE);
  const hashes = [...content].map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')] as const);
  const integrity = Buffer.from(writeIntegrity(new Map(hashes)));
  content.set(INTEGRITY_FILE, integrity);
  if (key !== undefined) content.set(SIGNATURE_FILE, Buffer.from(writeSignature(integrity, key)));
  return zipSync(Object.fromEntries([...content].sort(byPath)), ALWAYS_THE_SAME);
}

const UNIX = 3;
const PLAIN_FILE = 0o100_644;

// fflate deflates in JavaScript; what zlib makes depends on the processor. Its times are local ones, as this one is.
const ALWAYS_THE_SAME = { level: 9, mtime: new Date(1980, 0, 1), os: UNIX, attrs: PLAIN_FILE * 2 ** 16 } as const;
