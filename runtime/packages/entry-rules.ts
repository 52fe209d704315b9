/** What one entry of a ZIP may be: a plain file or a folder, stored or deflated, told the same in both places. */
import type { Entry, ExtraField, LocalFileHeader } from 'yauzl';

export const HAS_DESCRIPTOR = 1 << 3;
export const IS_UTF8 = 1 << 11;
const ENCRYPTED = (1 << 0) | (1 << 6) | (1 << 13);
const DEFLATE_EFFORT = (1 << 1) | (1 << 2);
const STORED = 0;
const DEFLATED = 8;
const ZIP64 = 0x0001;
/** Times and owners; what else there is gives an entry another name, size or kind to some readers. */
const HARMLESS_FIELDS: ReadonlySet<number> = new Set([0x5455, 0x5855, 0x7875, 0x000a, 0xcafe]);

const KIND_MASK = 0xf000;
const KINDS: Readonly<Record<number, string>> = {
  4096: 'a pipe',
  8192: 'a device',
  24576: 'a device',
  40960: 'a link',
  49152: 'a socket',
};
const FILE = 0x8000;
const FOLDER = 0x4000;
const DOS_FOLDER = 0x10;

/** By the list at the end of the ZIP. */
export function findEntryProblem(entry: Entry, isFolder: boolean): string | undefined {
  const { generalPurposeBitFlag: flags, compressionMethod: method } = entry;
  if ((flags & ENCRYPTED) !== 0) return 'it is encrypted';
  if ((flags & ~(HAS_DESCRIPTOR | IS_UTF8 | DEFLATE_EFFORT)) !== 0)
    return `its flags 0x${flags.toString(16)} are not allowed`;
  if (method !== STORED && method !== DEFLATED) return `its compression method ${method} is not allowed; use deflate`;
  const problem = findFieldProblem(entry.extraFields) ?? findKindProblem(entry.externalFileAttributes, isFolder);
  if (problem !== undefined) return problem;
  if (isFolder && (entry.uncompressedSize !== 0 || entry.crc32 !== 0)) return 'it is a folder with content';
  return undefined;
}

/** Boundary: a reader that goes from entry to entry must see what one sees that goes by the list. */
export function findHeaderProblem(
  entry: Entry,
  header: LocalFileHeader,
  fields: readonly ExtraField[],
): string | undefined {
  const differs =
    !header.fileName.equals(entry.fileNameRaw) ||
    header.generalPurposeBitFlag !== entry.generalPurposeBitFlag ||
    header.compressionMethod !== entry.compressionMethod ||
    !sizesAgree(entry, header);
  if (differs) return 'its header and the list of entries differ';
  return findFieldProblem(fields);
}

function sizesAgree(entry: Entry, { crc32, compressedSize, uncompressedSize }: LocalFileHeader): boolean {
  const isLater = (entry.generalPurposeBitFlag & HAS_DESCRIPTOR) !== 0;
  const agree = (said: number, listed: number): boolean => said === listed || (isLater && said === 0);
  return (
    agree(crc32, entry.crc32) &&
    agree(compressedSize, entry.compressedSize) &&
    agree(uncompressedSize, entry.uncompressedSize)
  );
}

function findFieldProblem(fields: readonly ExtraField[]): string | undefined {
  const foreign = fields.find(({ id }) => !HARMLESS_FIELDS.has(id));
  if (foreign === undefined) return undefined;
  if (foreign.id === ZIP64) return 'it is in the 64-bit form (zip64), which no package needs';
  return `its extra field 0x${foreign.id.toString(16)} is not allowed`;
}

function findKindProblem(attributes: number, isFolder: boolean): string | undefined {
  const kind = (attributes >>> 16) & KIND_MASK;
  if (kind === 0) return !isFolder && (attributes & DOS_FOLDER) !== 0 ? KIND_DIFFERS : undefined;
  if (kind === FILE || kind === FOLDER) return (kind === FOLDER) === isFolder ? undefined : KIND_DIFFERS;
  return `it is ${KINDS[kind] ?? 'no plain file'}; allowed are files and folders`;
}

const KIND_DIFFERS = 'its name and its attributes differ in whether it is a folder';
