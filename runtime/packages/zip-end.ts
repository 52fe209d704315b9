/**
 * The last record of a ZIP. Boundary: programs differ in which record they believe, so there may be only one reading:
 * it ends the file, nothing of it is in the 64-bit form, and the list of entries stands right before it.
 */
import { readSync } from 'node:fs';
import { PACKAGE_BOUNDS } from './package-bounds.ts';
import { PackageError } from './package-error.ts';

export interface ZipEnd {
  readonly entries: number;
  readonly listOffset: number;
  readonly listBytes: number;
}

const END_BYTES = 22;
const END = 0x06054b50;
const LOCATOR_64 = 0x07064b50;
const LOCATOR_64_BYTES = 20;
const FILE_HEADER = 0x04034b50;

/** @throws PackageError */
export function readZipEnd(fd: number, size: number): ZipEnd {
  if (size < END_BYTES) throw refused(`This is no ZIP: it has ${size} bytes.`);
  const end = read(fd, size - END_BYTES, END_BYTES);
  if (end.readUInt32LE(0) !== END) throw refused(whyNoEnd(fd, size));
  if (end.readUInt16LE(20) !== 0) throw refused('The ZIP has a comment, or data after its end; neither is allowed.');
  const [disk, listDisk, entriesHere, entries] = [4, 6, 8, 10].map((at) => end.readUInt16LE(at)) as FourNumbers;
  const listBytes = end.readUInt32LE(12);
  const listOffset = end.readUInt32LE(16);
  if (is64(fd, size, entries, listBytes, listOffset)) {
    throw refused('The ZIP is in the 64-bit form (zip64), which no package needs; write it without.');
  }
  if (disk !== 0 || listDisk !== 0 || entriesHere !== entries) throw refused('The ZIP is a part of several.');
  if (entries === 0) throw refused('The ZIP is empty.');
  if (entries > PACKAGE_BOUNDS.entries) {
    throw refused(`The ZIP has ${entries} entries; allowed are ${PACKAGE_BOUNDS.entries}.`);
  }
  if (listOffset + listBytes !== size - END_BYTES) {
    throw refused('The ZIP holds data that belongs to no entry: before its first, or between its parts.');
  }
  if (read(fd, 0, 4).readUInt32LE(0) !== FILE_HEADER) throw refused('The ZIP does not begin with its first entry.');
  return { entries, listOffset, listBytes };
}

type FourNumbers = [number, number, number, number];

function is64(fd: number, size: number, entries: number, listBytes: number, listOffset: number): boolean {
  if (entries === 0xffff || listBytes === 0xffffffff || listOffset === 0xffffffff) return true;
  const locator = size - END_BYTES - LOCATOR_64_BYTES;
  return locator >= 0 && read(fd, locator, 4).readUInt32LE(0) === LOCATOR_64;
}

const MAX_COMMENT_BYTES = 0xffff;

function whyNoEnd(fd: number, size: number): string {
  const length = Math.min(size, END_BYTES + MAX_COMMENT_BYTES);
  const tail = read(fd, size - length, length);
  const mark = Buffer.alloc(4);
  mark.writeUInt32LE(END);
  const at = tail.lastIndexOf(mark);
  if (at !== -1 && tail.length - at >= END_BYTES) {
    return 'The ZIP has a comment, or data after its end; neither is allowed.';
  }
  const start = read(fd, 0, 4).readUInt32LE(0);
  return start === FILE_HEADER ? 'The ZIP is cut off: its end is missing.' : 'This is no ZIP.';
}

function read(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  if (readSync(fd, buffer, 0, length, position) !== length) throw refused('The ZIP is cut off.');
  return buffer;
}

function refused(message: string): PackageError {
  return new PackageError('refused', [{ path: '', message }]);
}
