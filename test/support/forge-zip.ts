/** Writes ZIPs that no honest program writes: every field can lie, in the list and in the header of its own. */
import { crc32, deflateRawSync } from 'node:zlib';

interface Header {
  readonly name?: string | Buffer;
  readonly flags?: number;
  readonly method?: number;
  readonly crc?: number;
  readonly compressedSize?: number;
  readonly size?: number;
  readonly extra?: Buffer;
}

export interface ForgedEntry extends Header {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  /** What stands in the ZIP, instead of the content deflated. */
  readonly stored?: Buffer;
  /** External attributes; the upper half is the Unix mode. */
  readonly attributes?: number;
  /** Where the list says that the entry begins. */
  readonly offset?: number;
  readonly comment?: string;
  /** What differs in the header before its bytes. */
  readonly local?: Header;
  /** Follows its bytes. */
  readonly after?: Buffer;
}

export interface ForgedEnd {
  readonly before?: Buffer;
  readonly beforeList?: Buffer;
  readonly beforeEnd?: Buffer;
  readonly comment?: string;
  readonly after?: Buffer;
  readonly disk?: number;
  readonly entries?: number;
  readonly listOffset?: number;
  readonly listBytes?: number;
}

export const UTF8_NAME = 1 << 11;

export function forgeZip(entries: readonly ForgedEntry[], end: ForgedEnd = {}): Buffer {
  const parts: Buffer[] = [end.before ?? Buffer.alloc(0)];
  const list: Buffer[] = [];
  let offset = parts[0]?.length ?? 0;
  for (const entry of entries) {
    const whole = facts(entry);
    const start = offset;
    const pieces = [localHeader({ ...whole, ...entry.local }), whole.stored, entry.after ?? Buffer.alloc(0)];
    parts.push(...pieces);
    offset += Buffer.concat(pieces).length;
    list.push(listed(whole, entry, entry.offset ?? start));
  }
  const gap = end.beforeList ?? Buffer.alloc(0);
  const central = Buffer.concat(list);
  const count = end.entries ?? entries.length;
  const tail = Buffer.alloc(22);
  tail.writeUInt32LE(0x06054b50);
  tail.writeUInt16LE(end.disk ?? 0, 4);
  tail.writeUInt16LE(count, 8);
  tail.writeUInt16LE(count, 10);
  tail.writeUInt32LE(end.listBytes ?? central.length, 12);
  tail.writeUInt32LE(end.listOffset ?? offset + gap.length, 16);
  tail.writeUInt16LE(end.comment?.length ?? 0, 20);
  const rest = [end.beforeEnd, tail, Buffer.from(end.comment ?? ''), end.after].filter((part) => part !== undefined);
  return Buffer.concat([...parts, gap, central, ...rest]);
}

/** An extra field, as it stands in a header. */
export function extraField(id: number, data: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id);
  head.writeUInt16LE(data.length, 2);
  return Buffer.concat([head, data]);
}

function facts(entry: ForgedEntry) {
  const content = Buffer.from(entry.content ?? '');
  const method = entry.method ?? 8;
  const stored = entry.stored ?? (method === 8 ? deflateRawSync(content) : content);
  return {
    name: entry.name,
    flags: entry.flags ?? UTF8_NAME,
    method,
    crc: entry.crc ?? crc32(content),
    compressedSize: entry.compressedSize ?? stored.length,
    size: entry.size ?? content.length,
    extra: entry.extra ?? Buffer.alloc(0),
    stored,
  };
}

type Facts = ReturnType<typeof facts>;

function localHeader({ name, flags, method, crc, compressedSize, size, extra }: Facts): Buffer {
  const raw = Buffer.from(name);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50);
  head.writeUInt16LE(20, 4);
  head.writeUInt16LE(flags, 6);
  head.writeUInt16LE(method, 8);
  head.writeUInt32LE(crc, 14);
  head.writeUInt32LE(compressedSize, 18);
  head.writeUInt32LE(size, 22);
  head.writeUInt16LE(raw.length, 26);
  head.writeUInt16LE(extra.length, 28);
  return Buffer.concat([head, raw, extra]);
}

function listed({ name, flags, method, crc, compressedSize, size, extra }: Facts, entry: ForgedEntry, offset: number) {
  const raw = Buffer.from(name);
  const comment = Buffer.from(entry.comment ?? '');
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50);
  head.writeUInt16LE((3 << 8) | 20, 4);
  head.writeUInt16LE(20, 6);
  head.writeUInt16LE(flags, 8);
  head.writeUInt16LE(method, 10);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(compressedSize, 20);
  head.writeUInt32LE(size, 24);
  head.writeUInt16LE(raw.length, 28);
  head.writeUInt16LE(extra.length, 30);
  head.writeUInt16LE(comment.length, 32);
  head.writeUInt32LE(entry.attributes ?? 0, 38);
  head.writeUInt32LE(offset, 42);
  return Buffer.concat([head, raw, extra, comment]);
}
