/** ZIPs that mean harm: each is refused with a reason that names the entry, and nothing of it is left. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { writeIntegrity } from '../../runtime/packages/integrity.ts';
import { PACKAGE_BOUNDS } from '../../runtime/packages/package-bounds.ts';
import { extraField, type ForgedEnd, type ForgedEntry, forgeZip, UTF8_NAME } from '../support/forge-zip.ts';
import { configOf, packageRoom, packed, packedFiles, refusalOf } from '../support/package-room.ts';

const MB = 1024 * 1024;
const BASE: readonly ForgedEntry[] = [
  { name: 'config.yaml', content: configOf() },
  { name: 'module.ts', content: 'export default class {}' },
];
const withEntries = (...entries: ForgedEntry[]): Buffer => forgeZip([...BASE, ...entries]);
const named = (name: string | Buffer, more: Partial<ForgedEntry> = {}): Buffer =>
  withEntries({ name, content: 'x', ...more });
const ended = (end: ForgedEnd): Buffer => forgeZip(BASE, end);
const unixMode = (mode: number): number => mode * 2 ** 16;
const ZEROS_16 = deflateRawSync(Buffer.alloc(16 * MB));

type Case = readonly [title: string, zip: () => Buffer | Uint8Array, reason: RegExp];

const NAMES: readonly Case[] = [
  ['a name that climbs out', () => named('../evil.ts'), /^\.\.\/evil\.ts: .*out of the package/],
  [
    'a name that climbs out from inside',
    () => named('a/../../evil.ts'),
    /a\/\.\.\/\.\.\/evil\.ts: .*out of the package/,
  ],
  ['a step that stands still', () => named('a/./b.ts'), /hidden/],
  ['an absolute name', () => named('/etc/passwd'), /^\/etc\/passwd: .*absolute/],
  ['a network path', () => named('//host/share'), /absolute/],
  ['backslashes', () => named('..\\evil.ts'), /backslash/],
  ['a drive letter', () => named('C:/evil.ts'), /drive letter/],
  ['another stream of a file', () => named('a.txt:evil'), /":"/],
  ['a NUL in the name', () => named('a.ts\0.txt'), /NUL/],
  ['an empty name', () => named(''), /empty/],
  ['an empty step', () => named('a//b.ts'), /empty step/],
  ['a line break', () => named('a\nb.ts'), /cannot be seen/],
  ['a name that reads backwards', () => named('a\u202Ets.exe'), /cannot be seen/],
  ['a hidden file', () => named('.env'), /hidden/],
  ['the record of the store', () => named('.package.json'), /hidden/],
  ['a device of Windows', () => named('webui/NUL.txt'), /device/],
  ['a name that ends with a dot', () => named('webui/a.'), /ends with a dot/],
  ['a prototype', () => named('__proto__/a.ts'), /no name for a file/],
  ['a long name', () => named(`${'a/'.repeat(150)}x`), /bytes; allowed are 240/],
  ['a name of 64 KB', () => named('a'.repeat(65_000)), /65000 bytes/],
  ['a long step', () => named(`webui/${'a'.repeat(200)}`), /128 bytes/],
  ['a deep path', () => named(`${'a/'.repeat(40)}x`), /16 steps/],
  ['a name that is no UTF-8', () => named(Buffer.from([0xc3, 0x28])), /not UTF-8/],
  ['a name in an old code page', () => named(Buffer.from([0xe4]), { flags: 0 }), /neither ASCII/],
  [
    'the same name twice',
    () => withEntries({ name: 'a.ts' }, { name: 'a.ts', content: 'evil' }),
    /a\.ts: .*more than once/,
  ],
  ['names that differ in case', () => withEntries({ name: 'a.ts' }, { name: 'A.TS' }), /one name on some disks/],
  ['config.yaml in another case', () => named('Config.YAML'), /"Config\.YAML" and "config\.yaml"/],
  ['folders that differ in case', () => withEntries({ name: 'x/a.ts' }, { name: 'X/b.ts' }), /one name on some disks/],
  ['names in two Unicode forms', () => withEntries({ name: 'é.ts' }, { name: 'e\u0301.ts' }), /one name on some disks/],
  ['a file that is a folder', () => withEntries({ name: 'a.ts' }, { name: 'a.ts/b.ts' }), /a file and a folder/],
];

const KINDS: readonly Case[] = [
  ['a link', () => named('a.ts', { attributes: unixMode(0o120777), content: '/etc/passwd' }), /^a\.ts: it is a link/],
  ['a device', () => named('a.ts', { attributes: unixMode(0o020666) }), /a device/],
  ['a disk', () => named('a.ts', { attributes: unixMode(0o060666) }), /a device/],
  ['a pipe', () => named('a.ts', { attributes: unixMode(0o010666) }), /a pipe/],
  ['a socket', () => named('a.ts', { attributes: unixMode(0o140666) }), /a socket/],
  ['a folder without a slash', () => named('a.ts', { attributes: unixMode(0o040755) }), /whether it is a folder/],
  ['a folder of DOS without a slash', () => named('a.ts', { attributes: 0x10 }), /whether it is a folder/],
  ['a file with a slash', () => named('a/', { attributes: unixMode(0o100644), content: '' }), /whether it is a folder/],
  ['a folder with content', () => named('a/'), /folder with content/],
  ['an encrypted entry', () => named('a.ts', { flags: 1 }), /^a\.ts: it is encrypted/],
  ['a strongly encrypted entry', () => named('a.ts', { flags: 0x41 }), /encrypted|damaged/],
  ['a hidden header', () => named('a.ts', { flags: 1 << 13 }), /encrypted/],
  ['a patch', () => named('a.ts', { flags: 1 << 5 }), /flags 0x20/],
  ['another compression', () => named('a.ts', { method: 12, stored: Buffer.from('x') }), /compression method 12/],
  ['a second name', () => named('a.ts', { extra: extraField(0x7075, Buffer.from('\x01\0\0\0\0evil')) }), /0x7075/],
  ['AES', () => named('a.ts', { extra: extraField(0x9901, Buffer.alloc(7)) }), /0x9901/],
  ['a native addon', () => named('addon.node'), /addon\.node: .*native addon/],
  ['a shared library', () => named('lib/a.so.6'), /native addon/],
  [
    'an ELF program under another name',
    () => named('webui/a.png', { content: Buffer.from('\x7fELF\x02\x01\x01', 'latin1') }),
    /\(ELF\)/,
  ],
  ['a Mach-O program', () => named('webui/a.png', { content: Buffer.from('cffaedfe07000001', 'hex') }), /\(Mach-O\)/],
  [
    'a Windows program',
    () => named('webui/a.png', { content: Buffer.from('MZ\x90\0\x03\0', 'latin1') }),
    /\(Windows\)/,
  ],
];

const SHAPES: readonly Case[] = [
  ['nothing', () => Buffer.alloc(0), /no ZIP/],
  ['text', () => Buffer.from('<html>'.repeat(100)), /This is no ZIP/],
  ['an empty ZIP', () => forgeZip([]), /empty/],
  ['a ZIP that is cut off', () => forgeZip(BASE).subarray(0, -30), /cut off/],
  ['half of the end', () => forgeZip(BASE).subarray(0, -3), /cut off/],
  ['data before it', () => ended({ before: Buffer.from('#!/bin/sh\n') }), /does not begin|belongs to no entry/],
  ['a program before it', () => Buffer.concat([Buffer.from('MZ'), forgeZip(BASE)]), /belongs to no entry/],
  ['data after it', () => ended({ after: Buffer.from('more') }), /data after its end/],
  ['a comment', () => ended({ comment: 'hello' }), /comment/],
  ['a ZIP in the comment of another', () => ended({ comment: forgeZip(BASE).toString('latin1') }), /no entry|comment/],
  ['data before the list', () => ended({ beforeList: Buffer.from('hidden') }), /belongs to no entry/],
  ['data after the list', () => ended({ beforeEnd: Buffer.from('hidden') }), /belongs to no entry/],
  ['data between entries', () => named('a.ts', { after: Buffer.from('gap') }), /belongs to no entry/],
  [
    'a hidden entry between entries',
    () => named('a.ts', { after: forgeZip([{ name: 'b.ts' }]) }),
    /belongs to no entry/,
  ],
  ['a part of several', () => ended({ disk: 1 }), /part of several/],
  ['fewer entries than are listed', () => ended({ entries: 1 }), /not as long/],
  ['more entries than are listed', () => ended({ entries: 3 }), /damaged/],
  ['a list that begins elsewhere', () => ended({ listOffset: 5, listBytes: forgeZip(BASE).length - 27 }), /damaged/],
  ['65,535 entries', () => ended({ entries: 0xffff }), /zip64/],
  ['a list of 4 GB', () => ended({ listBytes: 0xffffffff }), /zip64/],
  ['a list at 4 GB', () => ended({ listOffset: 0xffffffff }), /zip64/],
  ['a locator of zip64', () => ended({ beforeEnd: locator64() }), /zip64/],
  ['sizes in zip64', () => named('a.ts', { extra: extraField(1, Buffer.alloc(16)) }), /^a\.ts: .*zip64/],
  [
    'sizes in zip64 in the header only',
    () => named('a.ts', { local: { extra: extraField(1, Buffer.alloc(16)) } }),
    /zip64/,
  ],
  ['a size of 4 GB, said in zip64', () => named('a.ts', { size: 0xffffffff, extra: zip64Sizes() }), /zip64/],
  ['fields that are cut off', () => named('a.ts', { extra: Buffer.from([0x55, 0x54, 0xff, 0xff, 1]) }), /damaged/],
  ['another name in the header', () => named('a.ts', { local: { name: 'b.ts' } }), /a\.ts: its header and the list/],
  ['another size in the header', () => named('a.ts', { local: { size: 5 } }), /its header and the list/],
  ['another method in the header', () => named('a.ts', { local: { method: 0 } }), /its header and the list/],
  ['other flags in the header', () => named('a.ts', { local: { flags: UTF8_NAME | 1 } }), /its header and the list/],
  ['a header that is elsewhere', () => named('a.ts', { offset: 7 }), /a\.ts: it is damaged/],
  ['a header behind the file', () => named('a.ts', { offset: 0x7fffffff }), /a\.ts: it is damaged/],
  [
    'two entries with the same bytes',
    () => named('module.ts', { name: 'b.ts', offset: 0, local: {} }),
    /header and the list|shares/,
  ],
  ['sizes that follow and are wrong', () => withDescriptor(Buffer.alloc(16)), /sizes that follow/],
  ['sizes that should follow and do not', () => withDescriptor(Buffer.alloc(0)), /neither the next entry/],
  ['a checksum that is wrong', () => named('a.ts', { crc: 1 }), /a\.ts: its checksum/],
  [
    'more than it says',
    () => named('a.ts', { content: 'x'.repeat(5000), size: 10 }),
    /inflates to more than the 10 bytes/,
  ],
  ['less than it says', () => named('a.ts', { size: 10 }), /says 10 bytes and has 1/],
  [
    'deflate that is cut off',
    () => named('a.ts', { stored: deflateRawSync('x'.repeat(99)).subarray(0, -2), size: 99 }),
    /damaged/,
  ],
  ['noise as deflate', () => named('a.ts', { stored: Buffer.from('ffffffff', 'hex') }), /damaged/],
  [
    'data after the deflate',
    () => named('a.ts', { stored: Buffer.concat([deflateRawSync('x'), Buffer.from('more')]) }),
    /after its end/,
  ],
  ['100,000 entries', () => forgeZip(many(100_000), { entries: 100_000 % 65_536 }), /34464 entries; allowed are 2000/],
  ['100,000 entries that pass for few', () => forgeZip(many(100_000), { entries: 100 }), /not as long/],
];

const BOMBS: readonly Case[] = [
  [
    'a bomb by ratio',
    () => named('a.txt', { stored: ZEROS_16, size: 16 * MB }),
    /a\.txt: it inflates to more than 100 times/,
  ],
  [
    'a bomb that says it is small',
    () => named('a.txt', { stored: ZEROS_16, size: 900_000 }),
    /inflates to more than the 900000/,
  ],
  [
    'a bomb that says it is nothing',
    () => named('a.txt', { stored: ZEROS_16, size: 0 }),
    /inflates to more than the 0/,
  ],
  [
    'a file that is too large',
    () => named('a.txt', { content: Buffer.alloc(17 * MB), method: 0 }),
    /has 17 MB; allowed are 16 MB/,
  ],
  ['many that are too large together', () => forgeZip(hills(5)), /has 8\d MB unpacked; allowed are 64 MB/],
  ['many bombs under the free ratio', () => forgeZip(pebbles(1500)), /unpacked; allowed are 64 MB/],
  ['entries that overlap (the better bomb)', overlapBomb, /shares bytes|header and the list/],
  ['an entry inside of another', nestedEntries, /b\.ts: it shares bytes with another entry/],
  [
    'a config.yaml of 1 MB',
    () => forgeZip([{ name: 'config.yaml', content: `#${' x'.repeat(500_000)}` }, ...BASE.slice(1)]),
    /config\.yaml: it has 977 KB; allowed are 256 KB/,
  ],
];

const CONTENTS: readonly Case[] = [
  ['no config.yaml', () => forgeZip(BASE.slice(1)), /config\.yaml: the file is missing/],
  [
    'a folder around everything',
    () => forgeZip(BASE.map((entry) => ({ ...entry, name: `probe/${entry.name}` }))),
    /lies in probe\//,
  ],
  ['no module', () => forgeZip(BASE.slice(0, 1)), /no module file/],
  ['an unknown file at the top', () => named('run.sh'), /run\.sh: nothing of a module/],
  [
    'a config.yaml with an unknown key',
    () => forgeZip([{ name: 'config.yaml', content: `${configOf()}nope: 1\n` }, ...BASE.slice(1)]),
    /config\.yaml:3:1 nope: /,
  ],
  [
    'a config.yaml that names a way out',
    () => forgeZip([{ name: 'config.yaml', content: configOf('1.0.0', '../evil') }, ...BASE.slice(1)]),
    /config\.yaml:1:14 module_name/,
  ],
  [
    'a version that names a way out',
    () => forgeZip([{ name: 'config.yaml', content: configOf('1.0.0-../../x') }, ...BASE.slice(1)]),
    /config\.yaml:2:17 module_version/,
  ],
  [
    'an unknown file in a packed module',
    () => packed('1.0.0', { 'evil.js': '' }),
    /evil\.js: a packed module has no such file/,
  ],
  ['an unknown folder in a packed module', () => packed('1.0.0', { 'evil/a.js': '' }), /evil\/a\.js: a packed module/],
  ['a wrong hash', () => tampered({ 'module.js': 'export default 666' }), /module\.js: its SHA-256/],
  [
    'a file that integrity.json does not name',
    () => tampered({ 'webui/evil.html': 'x' }),
    /webui\/evil\.html: integrity\.json does not name it/,
  ],
  ['a file that is missing', () => tampered({ 'README.md': undefined }), /README\.md: integrity\.json names it/],
  [
    'an integrity.json that is none',
    () => tampered({ 'integrity.json': '{"files":{}}' }),
    /integrity\.json: it must be/,
  ],
  [
    'an integrity.json with two answers',
    () => tampered({ 'integrity.json': '{"algorithm":"md5","algorithm":"sha256","files":{}}' }),
    /integrity\.json: it must be/,
  ],
  ['a signature without an integrity.json', () => named('signature.json'), /signature\.json: it signs integrity\.json/],
  ['a signature that is none', () => tampered({ 'signature.json': '{}' }), /signature\.json: it must be/],
  [
    'a signature of nobody',
    () => tampered({ 'signature.json': emptySignature() }),
    /signature\.json: it is not the signature|no Ed25519 key/,
  ],
];

describe.each([
  ['names', NAMES],
  ['kinds', KINDS],
  ['shapes', SHAPES],
  ['bombs', BOMBS],
  ['contents', CONTENTS],
] as const)('%s', (_, cases) => {
  test('all are refused, each for its own reason, and leave nothing behind', { timeout: 120_000 }, async () => {
    const { store, folder } = await packageRoom();
    const zips = cases.map(([title, zip, reason]) => ({ title, zip: zip(), reason }));
    const before = process.memoryUsage.rss();
    let peak = before;
    const meter = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 5);
    const unexpected: string[] = [];
    for (const { title, zip, reason } of zips) {
      const { message } = (await refusalOf(store, zip)) ?? { message: 'taken' };
      if (!reason.test(message) || message.length > 4000) unexpected.push(`${title}: ${message}`);
      expect(readdirSync(join(folder, '.staging')), title).toEqual([]);
    }
    expect(unexpected).toEqual([]);
    clearInterval(meter);
    expect(readdirSync(folder)).toEqual(['.staging']);
    expect(existsSync(join(folder, '../evil.ts'))).toBe(false);
    expect(peak - before).toBeLessThan(256 * MB);
    // The neighbours stay well.
    expect(await refusalOf(store, forgeZip(BASE))).toBeUndefined();
    expect(await refusalOf(store, packed())).toBeUndefined();
  });
});

test('a body that never ends is cut off at the bound', async () => {
  const { store, folder } = await packageRoom();
  let sent = 0;
  const endless = async function* () {
    for (;;) {
      sent += MB;
      yield Buffer.alloc(MB);
    }
  };
  await expect(store.stage(endless())).rejects.toMatchObject({ fault: 'too-large' });
  expect(sent).toBe(PACKAGE_BOUNDS.zipBytes + MB);
  expect(readdirSync(join(folder, '.staging'))).toEqual([]);
});

test('a body that does not come is given up, and one that its sender gives up as well', async () => {
  const { store, folder } = await packageRoom({ receiveMs: 50 });
  const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  await expect(store.stage(silent)).rejects.toMatchObject({ fault: 'refused', message: /did not arrive within 0\.05/ });
  await expect(store.stage(silent, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  expect(readdirSync(join(folder, '.staging'))).toEqual([]);
});

test('unpacking that takes too long is ended, and the next package is unpacked', async () => {
  const { store, folder } = await packageRoom({ unpackMs: 1 });
  expect((await refusalOf(store, packed()))?.message).toMatch(/took longer than 0\.001 seconds/);
  expect(readdirSync(join(folder, '.staging'))).toEqual([]);
});

test('more than eight packages at once are not taken now', async () => {
  const { store } = await packageRoom();
  const gone = new AbortController();
  const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const waiting = Array.from({ length: 8 }, () => store.stage(silent, gone.signal).catch((error: unknown) => error));
  expect((await refusalOf(store, packed()))?.fault).toBe('busy');
  gone.abort(new Error('gone'));
  await Promise.all(waiting);
  expect(await refusalOf(store, packed())).toBeUndefined();
});

function locator64(): Buffer {
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50);
  return locator;
}

function zip64Sizes(): Buffer {
  const data = Buffer.alloc(8);
  data.writeBigUInt64LE(1n);
  return extraField(1, data);
}

function withDescriptor(after: Buffer): Buffer {
  return named('a.ts', { flags: UTF8_NAME | 8, local: { crc: 0, size: 0, compressedSize: 0 }, after });
}

function many(count: number): ForgedEntry[] {
  return Array.from({ length: count }, (_, index) => ({ name: `a/${index}.ts`, method: 0, content: '' }));
}

/** Each within the bounds of a file and of the ratio, together more than a package may have. */
function hills(count: number): ForgedEntry[] {
  const noise = Buffer.alloc(16 * MB, 'abcdefghijklmnop');
  for (let at = 0; at < noise.length; at += 16) noise.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
  const stored = deflateRawSync(noise, { level: 1 });
  const crc = 0;
  return [...BASE, ...Array.from({ length: count }, (_, at) => ({ name: `a/${at}`, stored, crc, size: noise.length }))];
}

function pebbles(count: number): ForgedEntry[] {
  const content = Buffer.alloc(MB);
  const stored = deflateRawSync(content);
  return [...BASE, ...Array.from({ length: count }, (_, at) => ({ name: `a/${at}`, stored, size: MB }))];
}

/** All entries of the list lead to the same bytes. */
function overlapBomb(): Buffer {
  const stored = deflateRawSync(Buffer.alloc(900_000));
  const one = forgeZip(BASE).indexOf('PK\x01\x02', 0, 'latin1');
  const kernel = { name: 'a/0', stored, size: 900_000 };
  const others = Array.from({ length: 60 }, () => ({ ...kernel, stored, offset: one }));
  return forgeZip([...BASE, kernel, ...others.map((entry, index) => ({ ...entry, name: `a/${index + 1}` }))]);
}

/** The bytes of one hold the header and the bytes of the other, so that what is there once is taken out twice. */
function nestedEntries(): Buffer {
  const inner = forgeZip([{ name: 'b.ts', content: 'x', method: 0 }]);
  const content = inner.subarray(0, inner.indexOf('PK\x01\x02', 0, 'latin1'));
  const outer = { name: 'a.ts', content, method: 0 };
  const whole = forgeZip([...BASE, outer]);
  const offset = whole.indexOf(content, 0);
  // Where the second entry is forged, an empty place is left in front of the list.
  const zip = forgeZip([...BASE, outer, { name: 'b.ts', content: 'x', method: 0, offset }]);
  const twice = zip.lastIndexOf(content, zip.indexOf('PK\x01\x02', 0, 'latin1'));
  const cut = Buffer.concat([zip.subarray(0, twice), zip.subarray(twice + content.length)]);
  cut.writeUInt32LE(cut.readUInt32LE(cut.length - 6) - content.length, cut.length - 6);
  return cut;
}

/** A packed module in which these files are others than integrity.json says. */
function tampered(changes: Readonly<Record<string, string | undefined>>): Buffer {
  const files = packedFiles('1.0.0', { 'README.md': 'hello' });
  const hashes = [...files].map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')] as const);
  const integrity = writeIntegrity(new Map(hashes));
  const content = new Map<string, string | Uint8Array | undefined>([...files, ['integrity.json', integrity]]);
  for (const [path, text] of Object.entries(changes)) content.set(path, text);
  return forgeZip(
    [...content].flatMap(([name, text]) => (text === undefined ? [] : [{ name, content: Buffer.from(text) }])),
  );
}

function emptySignature(): string {
  const [publisher, signature] = [32, 64].map((bytes) => Buffer.alloc(bytes).toString('base64'));
  return JSON.stringify({ publisher, signature });
}

test('a package has a bound of folders, also of those that it only implies', async () => {
  const { store, folder } = await packageRoom();
  // Each of them brings 15 folders of its own.
  const deep = (count: number): Buffer =>
    withEntries(
      ...Array.from({ length: count }, (_none, index) => ({ name: `d${index}/${'s/'.repeat(14)}x`, content: 'x' })),
    );
  expect((await refusalOf(store, deep(34)))?.message).toBe('The package has 510 folders; allowed are 500.');
  expect(readdirSync(join(folder, '.staging'))).toEqual([]);
  expect(await refusalOf(store, deep(33))).toBeUndefined();
});

test('a config.yaml that is read without end is ended with its thread, and the host goes on meanwhile', async () => {
  const manifestFile = new URL('../fixtures/packages/never-read.ts', import.meta.url).href;
  const { store, folder } = await packageRoom({ manifestFile, unpackMs: 1_500 });
  let turns = 0;
  const beat = setInterval(() => {
    turns += 1;
  }, 10);
  const refusal = await refusalOf(store, packed());
  clearInterval(beat);
  expect(refusal?.message).toMatch(/took longer than 1\.5 seconds/);
  expect(turns).toBeGreaterThan(10);
  expect(readdirSync(join(folder, '.staging'))).toEqual([]);
});

test('a config.yaml as long and as dense as it may be fits into the thread that reads it', async () => {
  const { store } = await packageRoom();
  const dense = `${configOf()}settings: { l: [${'1,'.repeat(120_000)}1] }\n`;
  expect(dense.length).toBeLessThan(PACKAGE_BOUNDS.configBytes);
  expect(await refusalOf(store, packed('1.0.0', { 'config.yaml': dense }))).toBeUndefined();
});

test('a config.yaml whose pattern hangs whoever tries it is refused', async () => {
  const { store } = await packageRoom();
  const pattern = 'a?'.repeat(66) + 'a'.repeat(66);
  const config = `${configOf()}settings: { a: ${'a'.repeat(66)} }\nsettings_schema: { properties: { a: { pattern: "${pattern}" } } }\n`;
  const refusal = await refusalOf(store, packed('1.0.0', { 'config.yaml': config }));
  expect(refusal?.message).toMatch(/config\.yaml:\d+:\d+ settings_schema\.properties\.a\.pattern: .*three "\?"/);
});
