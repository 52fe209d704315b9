/** The bytes of one entry: as many as it said, and with the sum that it said. */
import { readSync } from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';
import { PackageError } from './package-error.ts';
import type { ZipEntry } from './zip-entries.ts';

/** @throws PackageError */
export function inflateEntry(fd: number, entry: ZipEntry): Buffer {
  const { path, dataStart, compressedBytes, bytes, crc, isDeflated } = entry;
  const stored = Buffer.allocUnsafe(compressedBytes);
  if (readSync(fd, stored, 0, compressedBytes, dataStart) !== compressedBytes) throw refused(path, 'it is cut off');
  const content = isDeflated ? inflate(path, stored, bytes) : stored;
  if (content.length !== bytes) throw refused(path, `it says ${bytes} bytes and has ${content.length}`);
  if (crc32(content) !== crc) throw refused(path, 'its checksum (CRC-32) is wrong: it is damaged');
  return content;
}

/** Boundary: not one byte more is inflated than the entry said, and what it said was within bounds. */
function inflate(path: string, stored: Buffer, bytes: number): Buffer {
  let inflated: { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
  try {
    // The types know only the form without `info`.
    inflated = inflateRawSync(stored, { maxOutputLength: Math.max(bytes, 1), info: true }) as never;
  } catch (error) {
    const isTooMuch = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw refused(path, isTooMuch ? `it inflates to more than the ${bytes} bytes that it says` : 'it is damaged');
  }
  if (inflated.engine.bytesWritten !== stored.length) throw refused(path, 'there is data after its end');
  return inflated.buffer;
}

function refused(path: string, message: string): PackageError {
  return new PackageError('refused', [{ path, message }]);
}
