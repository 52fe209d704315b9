/** The entries of a ZIP, each checked twice: as the list at its end tells it, and as it stands before its bytes. */
import { readSync } from 'node:fs';
import { type Entry, fromFdPromise, parseExtraFields, type ZipFile } from 'yauzl';
import { readEntryName, showName } from './entry-name.ts';
import { findEntryProblem, findHeaderProblem, HAS_DESCRIPTOR, IS_UTF8 } from './entry-rules.ts';
import { PACKAGE_BOUNDS, showBytes } from './package-bounds.ts';
import { PackageError, type PackageIssue } from './package-error.ts';
import type { ZipEnd } from './zip-end.ts';

export interface ZipEntry {
  readonly path: string;
  readonly isFolder: boolean;
  /** Where its header and its bytes begin. */
  readonly start: number;
  readonly dataStart: number;
  readonly compressedBytes: number;
  /** What it says; what comes out is counted again. */
  readonly bytes: number;
  readonly crc: number;
  readonly isDeflated: boolean;
  readonly hasDescriptor: boolean;
}

/** @throws PackageError with every entry that is at fault */
export async function readZipEntries(fd: number, end: ZipEnd): Promise<readonly ZipEntry[]> {
  const zip = await damageTold(() => fromFdPromise(fd, { autoClose: false, decodeStrings: false }));
  // Told by the loop as well; without a listener it would end the thread.
  zip.on('error', () => {});
  const issues: PackageIssue[] = [];
  const entries: ZipEntry[] = [];
  let listBytes = 0;
  for (const entry of await listEntries(zip)) {
    listBytes += LIST_HEADER_BYTES + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
    const read = await readEntry(zip, entry);
    if ('message' in read) issues.push(read);
    else entries.push(read);
  }
  if (issues.length > 0) throw new PackageError('refused', shorten(issues));
  if (listBytes !== end.listBytes) throw refused('', 'The list of entries is not as long as the ZIP says.');
  assertSizes(entries);
  assertTiles(fd, entries, end.listOffset);
  return entries;
}

const LIST_HEADER_BYTES = 46;

/** No more than `PACKAGE_BOUNDS.entries`: their number was checked before. */
async function listEntries(zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  await damageTold(async () => {
    for await (const entry of zip.eachEntry()) entries.push(entry);
  });
  return entries;
}

async function readEntry(zip: ZipFile, entry: Entry): Promise<ZipEntry | PackageIssue> {
  const { fileNameRaw, generalPurposeBitFlag: flags } = entry;
  const name = readEntryName(fileNameRaw, (flags & IS_UTF8) !== 0);
  if (!name.ok) return name.issue;
  const { path, isFolder } = name;
  const problem = findEntryProblem(entry, isFolder);
  if (problem !== undefined) return { path, message: problem };
  try {
    const header = await zip.readLocalFileHeaderPromise(entry);
    const difference = findHeaderProblem(entry, header, parseExtraFields(header.extraField));
    if (difference !== undefined) return { path, message: difference };
    return {
      path,
      isFolder,
      start: entry.relativeOffsetOfLocalHeader,
      dataStart: header.fileDataStart,
      compressedBytes: entry.compressedSize,
      bytes: entry.uncompressedSize,
      crc: entry.crc32,
      isDeflated: entry.compressionMethod !== 0,
      hasDescriptor: (flags & HAS_DESCRIPTOR) !== 0,
    };
  } catch (error) {
    return { path, message: `it is damaged: ${wordsOf(error)}` };
  }
}

/** By what the entries say; a lie shows when they are inflated. */
function assertSizes(entries: readonly ZipEntry[]): void {
  const { unpackedBytes, fileBytes } = PACKAGE_BOUNDS;
  let total = 0;
  for (const { path, bytes, compressedBytes } of entries) {
    total += bytes;
    if (bytes > fileBytes) throw refused(path, `it has ${showBytes(bytes)}; allowed are ${showBytes(fileBytes)}`);
    if (isBomb(bytes, compressedBytes)) throw refused(path, BOMB);
  }
  if (total > unpackedBytes) {
    throw refused('', `The package has ${showBytes(total)} unpacked; allowed are ${showBytes(unpackedBytes)}.`);
  }
}

const BOMB = `it inflates to more than ${PACKAGE_BOUNDS.ratio} times its bytes in the ZIP`;

function isBomb(bytes: number, compressedBytes: number): boolean {
  return bytes > PACKAGE_BOUNDS.ratioFreeBytes && bytes > compressedBytes * PACKAGE_BOUNDS.ratio;
}

/** Boundary: entries lie one after the other and fill the file, so that none shares bytes and nothing lies between. */
function assertTiles(fd: number, entries: readonly ZipEntry[], listOffset: number): void {
  const sorted = entries.toSorted((left, right) => left.start - right.start);
  let expected = 0;
  for (const [index, entry] of sorted.entries()) {
    const next = sorted[index + 1]?.start ?? listOffset;
    if (entry.start < expected) throw refused(entry.path, 'it shares bytes with another entry');
    if (entry.start > expected) throw refused(entry.path, 'there is data before it that belongs to no entry');
    expected = entry.dataStart + entry.compressedBytes;
    if (entry.hasDescriptor) expected += descriptorBytes(fd, entry, next - expected);
  }
  if (expected !== listOffset) throw refused('', 'The ZIP holds data that belongs to no entry.');
}

const DESCRIPTOR = 0x08074b50;

/** What follows an entry whose size was not known when it was begun; its mark may be missing. */
function descriptorBytes(fd: number, { path, dataStart, compressedBytes, bytes, crc }: ZipEntry, gap: number): number {
  if (gap !== 12 && gap !== 16) throw refused(path, 'what follows it is neither the next entry nor its own sizes');
  const found = Buffer.alloc(gap);
  readSync(fd, found, 0, gap, dataStart + compressedBytes);
  const expected = [...(gap === 16 ? [DESCRIPTOR] : []), crc, compressedBytes, bytes];
  if (expected.some((value, index) => found.readUInt32LE(index * 4) !== value)) {
    throw refused(path, 'the sizes that follow it are not those of the list');
  }
  return gap;
}

async function damageTold<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw refused('', `The ZIP is damaged: ${wordsOf(error)}.`);
  }
}

function wordsOf(error: unknown): string {
  return showName(error instanceof Error ? error.message : String(error));
}

function shorten(issues: readonly PackageIssue[]): readonly PackageIssue[] {
  const max = PACKAGE_BOUNDS.issues;
  if (issues.length <= max) return issues;
  return [...issues.slice(0, max), { path: '', message: `… and ${issues.length - max} more` }];
}

function refused(path: string, message: string): PackageError {
  return new PackageError('refused', [{ path, message }]);
}
