/** runtime/docs/packages.md says what the code says. */
import { expect, test } from 'vitest';
import { loadHostSettings } from '../../runtime/config/load-host-settings.ts';
import { PACKAGE_BOUNDS, showBytes } from '../../runtime/packages/package-bounds.ts';
import {
  COPIED_FILES,
  COPIED_FOLDERS,
  INTEGRITY_FILE,
  MAP_FILE,
  MODULE_FILE,
  SIGNATURE_FILE,
} from '../../runtime/packages/package-layout.ts';
import { blocksOf, tableOf } from '../support/pages.ts';
import { tempFolder } from '../support/temp-folder.ts';

const PAGE = 'runtime/docs/packages.md';

test('each setting has its default', () => {
  const { packages, publishers } = loadHostSettings({}).settings;
  const rows = Object.entries(packages).map(([key, value]) => [`\`packages.${key}\``, `\`${value}\``]);
  expect(tableOf(PAGE, 'setting').map(([name, value]) => [name, value])).toEqual([...rows, ['`publishers`', '']]);
  expect(publishers).toEqual({});
});

test('the settings to copy are settings', () => {
  const file = `${tempFolder({ 'plexi.yaml': blocksOf(PAGE, 'yaml').join('') })}/plexi.yaml`;
  const { settings } = loadHostSettings({ file });
  expect(settings.packages.require_signature).toBe(true);
  expect(settings.publishers.weather).toHaveLength(1);
});

test('each bound is what holds', () => {
  const { zipBytes, unpackedBytes, fileBytes, entries, folders, pathBytes, ratio, configBytes } = PACKAGE_BOUNDS;
  const [sizes, counts] = [
    [zipBytes, unpackedBytes, fileBytes].map(showBytes),
    [entries, folders, pathBytes, ratio].map(String),
  ];
  expect(tableOf(PAGE, 'bound').map(([, value]) => value)).toEqual([...sizes, ...counts, showBytes(configBytes)]);
});

test('each file that a package may have is named', () => {
  const named = tableOf(PAGE, 'file').flatMap(([files = '']) =>
    files.split(', ').map((file) => file.replaceAll('`', '')),
  );
  const all = [
    ...COPIED_FILES,
    ...COPIED_FOLDERS.map((folder) => `${folder}/`),
    MODULE_FILE,
    MAP_FILE,
    INTEGRITY_FILE,
    SIGNATURE_FILE,
  ];
  expect([...named].sort()).toEqual([...all].sort());
});
