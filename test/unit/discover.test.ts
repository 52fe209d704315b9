import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { discoverModule, discoverModules } from '../../runtime/modules/discover.ts';
import { tempFolder } from '../support/temp-folder.ts';

const config = (name: string) => `module_name: ${name}\nmodule_version: 1.0.0\n`;

test('folders with a config.yaml are found in the order of their names; others are reported or passed over', async () => {
  const directory = tempFolder({
    'zoo/config.yaml': config('zoo'),
    'apple/config.yaml': config('apple'),
    'empty/README.md': 'nothing',
    'broken/config.yaml': 'module_name: 1',
    '.hidden/config.yaml': config('hidden'),
    'node_modules/config.yaml': config('dependency'),
    'README.md': 'a file',
  });
  const found = await discoverModules(directory);
  expect(found.map(({ name, ok }) => [name, ok])).toEqual([
    ['apple', true],
    ['broken', false],
    ['empty', false],
    ['zoo', true],
  ]);
  expect(found[0]).toMatchObject({ folder: join(directory, 'apple'), manifest: { module_name: 'apple' } });
  expect(found[1]).toMatchObject({
    reasons: expect.arrayContaining([expect.stringMatching(/^broken\/config\.yaml:1:14 module_name: found 1/)]),
  });
  expect(found[2]).toMatchObject({ reasons: ['The folder has no config.yaml.'] });
});

test('two folders with one name are both failed, each naming the other', async () => {
  const directory = tempFolder({ 'one/config.yaml': config('same'), 'two/config.yaml': config('same') });
  const found = await discoverModules(directory);
  expect(found).toMatchObject([
    { ok: false, name: 'same', reasons: ['The folder two has the same module_name, "same"; names must differ.'] },
    { ok: false, name: 'same', reasons: [expect.stringContaining('The folder one has')] },
  ]);
});

test('a link out of the directory is refused, one inside is followed', async () => {
  const outside = tempFolder({ 'config.yaml': config('outside') });
  const directory = tempFolder({ 'real/config.yaml': config('real') });
  symlinkSync(outside, join(directory, 'a-link'));
  symlinkSync(join(directory, 'gone'), join(directory, 'b-dangling'));
  const found = await discoverModules(directory);
  expect(found.map((folder) => (folder.ok ? folder.name : folder.reasons[0]))).toEqual([
    'The link leads out of the directory of modules.',
    'The link leads nowhere.',
    'real',
  ]);
});

test('a config.yaml that is a link, a folder or huge is refused', async () => {
  const outside = tempFolder({ 'config.yaml': config('outside') });
  const directory = tempFolder({ 'link/x': '', 'folder/config.yaml/x': '', 'huge/x': '' });
  symlinkSync(join(outside, 'config.yaml'), join(directory, 'link/config.yaml'));
  writeFileSync(join(directory, 'huge/config.yaml'), 'a'.repeat(10_000_000));
  const found = await discoverModules(directory);
  expect(found.map((folder) => !folder.ok && folder.reasons[0])).toEqual([
    'config.yaml is a folder; it must be a file.',
    'huge/config.yaml:1:1: The file is larger than 256 KB.',
    'config.yaml is a link; it must be a file.',
  ]);
});

test('overrides of the environment reach the manifest', async () => {
  const folder = tempFolder({ 'config.yaml': config('weather') });
  const found = await discoverModule(folder, { environment: { PLEXI_MODULE__WEATHER__PRIORITY: '7' } });
  expect(found).toMatchObject({ ok: true, manifest: { priority: 7 } });
});

test('a folder that does not exist is a reason, a directory that does not exist is an error', async () => {
  expect(await discoverModule('/nowhere/at/all')).toMatchObject({
    ok: false,
    reasons: ['The folder does not exist or cannot be read.'],
  });
  await expect(discoverModules('/nowhere/at/all')).rejects.toThrow(/ENOENT/);
});
