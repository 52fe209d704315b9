import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPublisher, type PublisherSettings } from '../../runtime/packages/check-publisher.ts';
import { findNameProblem } from '../../runtime/packages/entry-name.ts';
import { findClashes } from '../../runtime/packages/name-clashes.ts';
import { PackageError } from '../../runtime/packages/package-error.ts';
import { newSigningKey, publisherOf, readSigningKey } from '../../runtime/packages/signature.ts';
import { unpackPackage } from '../../runtime/packages/unpack.ts';
import { writePackage } from '../../runtime/packages/write-package.ts';
import { extraField, forgeZip, UTF8_NAME } from '../support/forge-zip.ts';
import { bytesOf, configOf, packageRoom, packed, packedFiles, refusalOf } from '../support/package-room.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('a package store', () => {
  test('stages a package, and has it as a version once it is committed', async () => {
    const { store, folder } = await packageRoom();
    const staged = await store.stage(bytesOf(packed('1.2.0', { 'webui/index.html': '<p>hi' }), 7));
    expect(staged).toMatchObject({ name: 'probe', version: '1.2.0', publisher: undefined });
    expect(staged.manifest.module_name).toBe('probe');
    expect(store.folderOf('probe', '1.2.0')).toBeUndefined();
    const at = await store.commit(staged);
    expect(at).toBe(join(folder, 'probe/1.2.0'));
    expect(store.folderOf('probe', '1.2.0')).toBe(at);
    expect(readFileSync(join(at, 'webui/index.html'), 'utf8')).toBe('<p>hi');
    expect(readdirSync(join(folder, '.staging'))).toEqual([]);
    expect(await store.isWhole('probe', '1.2.0')).toBe(true);
  });

  test('knows after a start what it had before', async () => {
    const { store, folder } = await packageRoom();
    for (const version of ['1.9.0', '1.10.0', '1.10.0-beta.1'])
      await store.commit(await store.stage(bytesOf(packed(version))));
    const again = await packageRoom({}, folder);
    expect(again.store.versions('probe')).toMatchObject(
      ['1.10.0', '1.10.0-beta.1', '1.9.0'].map((version) => ({ version, folder: join(folder, 'probe', version) })),
    );
    expect(again.store.versions('other')).toEqual([]);
  });

  test('takes the same bytes again, and refuses others for a version that is there', async () => {
    const { store, folder } = await packageRoom();
    const at = await store.commit(await store.stage(bytesOf(packed())));
    expect(await store.commit(await store.stage(bytesOf(packed())))).toBe(at);
    const other = await store.stage(bytesOf(packed('1.0.0', { 'README.md': 'new' })));
    await expect(store.commit(other)).rejects.toMatchObject({
      fault: 'refused',
      message: /probe 1\.0\.0 is installed with other bytes/,
    });
    await store.drop(other);
    expect(readdirSync(join(folder, '.staging'))).toEqual([]);
    expect(await store.isWhole('probe', '1.0.0')).toBe(true);
  });

  test('of two that commit one version at once, one wins and the other is told', async () => {
    const { store } = await packageRoom();
    const [one, two] = await Promise.all(
      ['a', 'b'].map((text) => store.stage(bytesOf(packed('1.0.0', { 'README.md': text })))),
    );
    if (one === undefined || two === undefined) return expect.fail('not staged');
    const ends = await Promise.allSettled([store.commit(one), store.commit(two)]);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await store.isWhole('probe', '1.0.0')).toBe(true);
  });

  test('keeps files read-only, and sees when they were changed all the same', async () => {
    const { store } = await packageRoom();
    const at = await store.commit(await store.stage(bytesOf(packed('1.0.0', { 'webui/a/b.txt': 'x' }))));
    const modes = ['', 'webui/a', 'webui/a/b.txt', 'config.yaml'].map((path) => statSync(join(at, path)).mode & 0o777);
    expect(modes).toEqual([0o700, 0o700, 0o400, 0o400]);
    await chmod(join(at, 'module.js'), 0o600);
    writeFileSync(join(at, 'module.js'), 'changed');
    expect(await store.isWhole('probe', '1.0.0')).toBe(false);
  });

  test('removes a version, and one that is not there', async () => {
    const { store, folder } = await packageRoom();
    await store.commit(await store.stage(bytesOf(packed())));
    await store.remove('probe', '1.0.0');
    await store.remove('probe', '1.0.0');
    await store.remove('../..', '..');
    expect(store.versions('probe')).toEqual([]);
    expect(readdirSync(join(folder, 'probe'))).toEqual([]);
    expect(readdirSync(join(folder, '.staging'))).toEqual([]);
  });

  test('sweeps what was staged when the host ended', async () => {
    const { store, folder } = await packageRoom();
    await store.stage(bytesOf(packed('1.0.0', { 'webui/a.txt': 'x' })));
    writeFileSync(join(folder, '.staging/rest.zip'), 'x');
    await packageRoom({}, folder);
    expect(readdirSync(join(folder, '.staging'))).toEqual([]);
  });

  test('takes a folder that holds no version of ours out of the way', async () => {
    const { store, folder } = await packageRoom();
    await mkdir(join(folder, 'probe/1.0.0/rubbish'), { recursive: true });
    await store.commit(await store.stage(bytesOf(packed())));
    expect(await store.isWhole('probe', '1.0.0')).toBe(true);
  });

  test('refuses more versions than it keeps, unless the oldest may go', async () => {
    const inUse = new Set(['1.0.0']);
    const limited = await packageRoom({ maxVersions: 2, mayRemove: (_, version) => !inUse.has(version) });
    const install = async (version: string) =>
      limited.store.commit(await limited.store.stage(bytesOf(packed(version))));
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) await install(version);
    expect(limited.store.versions('probe').map(({ version }) => version)).toEqual(['1.2.0', '1.0.0']);
    inUse.add('1.2.0');
    await expect(install('1.3.0')).rejects.toMatchObject({
      fault: 'full',
      message: /2 versions of probe are kept.*1\.2\.0, 1\.0\.0/,
    });
    await limited.store.remove('probe', '1.0.0');
    await install('1.3.0');
  });

  test('refuses more bytes than it keeps in total', async () => {
    const { store } = await packageRoom({ maxTotalBytes: 3000 });
    const more = { 'README.md': 'x'.repeat(2000) };
    await store.commit(await store.stage(bytesOf(packed('1.0.0', more))));
    const second = await store.stage(bytesOf(packed('1.0.1', more)));
    await expect(store.commit(second)).rejects.toMatchObject({
      fault: 'full',
      message: /packages\.total_mb allows 3 KB/,
    });
    await store.remove('probe', '1.0.0');
    await store.commit(second);
  });
});

describe('a package', () => {
  test('may be a source folder, zipped by other programs', async () => {
    const { store } = await packageRoom();
    const times = extraField(0x5455, Buffer.from([1, 0, 0, 0, 0]));
    const descriptor = Buffer.alloc(16);
    descriptor.writeUInt32LE(0x08074b50);
    const zip = forgeZip([
      { name: 'config.yaml', content: configOf(), extra: times },
      { name: 'module.ts', content: 'export default class {}', method: 0, attributes: 0o100644 * 2 ** 16 },
      { name: 'api/', method: 0, flags: 0, attributes: 0o040755 * 2 ** 16 },
      { name: 'api/größe.ts', content: 'export {}', flags: UTF8_NAME | 2 },
      { name: 'package.json', content: '{}', flags: 0 },
      { name: 'README.md', flags: UTF8_NAME | 8, method: 0, after: descriptor, local: { crc: 0, size: 0 } },
    ]);
    const staged = await store.stage(bytesOf(zip));
    expect((await readdir(staged.folder, { recursive: true })).sort()).toEqual(
      ['.package.json', 'README.md', 'api', 'api/größe.ts', 'config.yaml', 'module.ts', 'package.json'].sort(),
    );
  });

  test('is one issue per fault', async () => {
    const { store } = await packageRoom();
    const zip = forgeZip([{ name: '../a' }, { name: '/b' }, { name: 'config.yaml', content: configOf() }]);
    expect((await refusalOf(store, zip))?.issues.map(({ path }) => path)).toEqual(['../a', '/b']);
  });

  test('is the same bytes for the same files, in whatever order they come', () => {
    const files = packedFiles('1.0.0', { 'webui/b.html': 'b', 'webui/a.html': 'a' });
    const backwards = new Map([...files].reverse());
    expect(Buffer.from(writePackage(files)).equals(writePackage(backwards))).toBe(true);
  });

  test('that is signed says by whom, and is another version than the unsigned one', async () => {
    const { store } = await packageRoom();
    const key = readSigningKey(newSigningKey());
    const staged = await store.stage(bytesOf(writePackage(packedFiles(), key)));
    expect(staged.publisher).toBe(publisherOf(key));
    const unsigned = await store.stage(bytesOf(packed()));
    expect(unsigned.hash).not.toBe(staged.hash);
    await store.commit(staged);
    expect(store.versions('probe')[0]?.publisher).toBe(publisherOf(key));
  });

  test('that another key signed, or that was signed before it changed, is refused', async () => {
    const { store } = await packageRoom();
    const [key, other] = [newSigningKey(), newSigningKey()].map(readSigningKey);
    if (key === undefined || other === undefined) return expect.fail('no keys');
    const files = packedFiles();
    const signature = await signatureOf(writePackage(files, key));
    const forged = JSON.stringify({ ...signature, publisher: publisherOf(other) });
    const taken = new Map([...packedFiles('1.0.1')]);
    for (const [content, text] of [
      [files, forged],
      [taken, JSON.stringify(signature)],
    ] as const) {
      const integrity = await integrityOf(writePackage(content));
      const zip = forgeZip(
        [...content, ['integrity.json', integrity] as const, ['signature.json', Buffer.from(text)] as const].map(
          ([name, bytes]) => ({ name, content: Buffer.from(bytes) }),
        ),
      );
      expect((await refusalOf(store, zip))?.message).toMatch(/signature\.json: it is not the signature of/);
    }
  });
});

async function unpackedFile(zip: Uint8Array, path: string): Promise<Buffer> {
  const folder = tempFolder();
  writeFileSync(join(folder, 'a.zip'), zip);
  await unpackPackage({ zip: join(folder, 'a.zip'), folder: join(folder, 'a') });
  const content = await readFile(join(folder, 'a', path));
  await rm(join(folder, 'a'), { recursive: true, force: true });
  return content;
}

const integrityOf = (zip: Uint8Array) => unpackedFile(zip, 'integrity.json');
const signatureOf = async (zip: Uint8Array): Promise<{ publisher: string; signature: string }> =>
  JSON.parse((await unpackedFile(zip, 'signature.json')).toString());

const step = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map((text) => text.replaceAll('/', '_'))
  .filter((text) => findNameProblem(text) === undefined);
const tree = fc
  .dictionary(
    fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => `webui/${steps.join('/')}`),
    fc
      .uint8Array({ maxLength: 2000 })
      .filter(
        (bytes) => !/^(?:7f454c46|feedfac|c[ef]faedfe|cafebab|4d5a|213c6172)/.test(Buffer.from(bytes).toString('hex')),
      ),
    { maxKeys: 12 },
  )
  .filter((files) => findClashes(Object.keys(files).map((path) => ({ path, isFolder: false }))).length === 0)
  .filter((files) =>
    Object.keys(files).every((path) => !/\.(?:node|so|dll|dylib|exe|a|o|lib|com|msi|jar)$/i.test(path)),
  );

describe('whatever it is', () => {
  test('a tree of files packs and unpacks to itself', { timeout: 120_000 }, async () => {
    const folder = tempFolder();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(tree, async (more) => {
        const files = new Map([...packedFiles(), ...Object.entries(more)]);
        run += 1;
        const at = join(folder, String(run));
        writeFileSync(`${at}.zip`, writePackage(files));
        const { files: unpacked } = await unpackPackage({ zip: `${at}.zip`, folder: at });
        expect([...unpacked].sort()).toEqual([...files.keys(), 'integrity.json'].sort());
        for (const [path, content] of files) expect((await readFile(join(at, path))).equals(content), path).toBe(true);
        await rm(at, { recursive: true, force: true });
      }),
      { numRuns: 60 },
    );
  });

  test('a package that was changed is refused, or is what it was', { timeout: 120_000 }, async () => {
    const folder = tempFolder();
    const key = readSigningKey(newSigningKey());
    const zip = Buffer.from(writePackage(packedFiles('1.0.0', { 'webui/a.txt': 'abc'.repeat(100) }), key));
    writeFileSync(join(folder, 'whole.zip'), zip);
    const whole = await unpackPackage({ zip: join(folder, 'whole.zip'), folder: join(folder, 'whole') });
    await rm(join(folder, 'whole'), { recursive: true, force: true });
    const outcomes = { equal: 0, refused: 0 };
    let run = 0;
    const at = fc.nat({ max: zip.length - 1 });
    const change = fc.oneof(
      fc.record({ at, value: fc.nat({ max: 255 }) }).map(({ at: index, value }) => {
        const changed = Buffer.from(zip);
        changed[index] = value;
        return changed;
      }),
      at.map((length) => zip.subarray(0, length)),
      fc
        .record({ at, more: fc.uint8Array({ minLength: 1, maxLength: 40 }) })
        .map(({ at: index, more }) => Buffer.concat([zip.subarray(0, index), more, zip.subarray(index)])),
      fc
        .record({ at, length: fc.nat({ max: 100 }) })
        .map(({ at: index, length }) => Buffer.concat([zip.subarray(0, index), zip.subarray(index + length)])),
    );
    await fc.assert(
      fc.asyncProperty(change, async (changed) => {
        run += 1;
        const place = join(folder, String(run));
        writeFileSync(`${place}.zip`, changed);
        try {
          const { hash, publisher, config } = await unpackPackage({ zip: `${place}.zip`, folder: place });
          expect({ hash, publisher, config }).toEqual({
            hash: whole.hash,
            publisher: whole.publisher,
            config: whole.config,
          });
          outcomes.equal += 1;
        } catch (error) {
          if (!(error instanceof PackageError)) throw error;
          outcomes.refused += 1;
        } finally {
          await rm(place, { recursive: true, force: true });
        }
      }),
      { numRuns: 600 },
    );
    expect(outcomes.refused).toBeGreaterThan(100);
    expect(outcomes.equal).toBeGreaterThan(0);
  });
});

describe('the publisher of a module', () => {
  const [ours, theirs] = ['A', 'B'].map((letter) => `${letter.repeat(43)}=`) as [string, string];
  const check = (pinned: string | undefined, publisher: string | undefined, more: Partial<PublisherSettings> = {}) => {
    const verdict = checkPublisher(
      pinned,
      { name: 'probe', publisher },
      { publishers: {}, requireSignature: false, ...more },
    );
    return verdict.ok ? verdict.pin : verdict.issue.message;
  };

  test('is pinned by the first signed version', () => {
    expect(check(undefined, undefined)).toBeUndefined();
    expect(check(undefined, ours)).toBe(ours);
    expect(check(ours, ours)).toBe(ours);
    expect(check(ours, theirs)).toMatch(/signed by B+=; allowed for probe is A+=\./);
    expect(check(ours, undefined)).toMatch(/not signed, and earlier versions of probe were signed by A/);
  });

  test('may be another one that the operator lists', () => {
    expect(check(ours, theirs, { publishers: { probe: [theirs] } })).toBe(ours);
    expect(check(ours, theirs, { publishers: { other: [theirs] } })).toMatch(/allowed for probe is A/);
    expect(check(undefined, theirs, { publishers: { probe: [ours] } })).toMatch(/allowed for probe is A/);
    expect(check(undefined, undefined, { publishers: { probe: [ours] } })).toMatch(/lists who signs probe/);
    expect(check(undefined, undefined, { publishers: JSON.parse('{"__proto__":{"probe":[]}}') })).toBeUndefined();
  });

  test('has to be there when the host asks for it', () => {
    expect(check(undefined, undefined, { requireSignature: true })).toMatch(/packages\.require_signature is on/);
    expect(check(undefined, ours, { requireSignature: true })).toBe(ours);
  });
});
