import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { discoverModule } from '../../runtime/modules/discover.ts';
import * as manifest from '../../runtime/modules/manifest.ts';
import { tempFolder } from '../support/temp-folder.ts';

vi.mock('../../runtime/modules/manifest.ts', { spy: true });

const LONG_AGO = new Date('2020-01-01');

function moduleFolder(text: string, at = LONG_AGO): { folder: string; write(text: string): void } {
  const folder = tempFolder();
  const file = join(folder, 'config.yaml');
  const write = (content: string): void => {
    writeFileSync(file, content);
    utimesSync(file, at, at);
  };
  write(text);
  return { folder, write };
}

const configOf = (version: string): string => `module_name: probe\nmodule_version: ${version}\n`;

function countParses(): () => number {
  vi.mocked(manifest.parseManifest).mockClear();
  return () => vi.mocked(manifest.parseManifest).mock.calls.length;
}

async function versionIn(folder: string, environment?: Record<string, string>): Promise<string> {
  const found = await discoverModule(folder, environment === undefined ? {} : { environment });
  return found.ok ? found.manifest.module_version : expect.fail(found.reasons.join('\n'));
}

describe('config.yaml', () => {
  it('is parsed once while it is the same', async () => {
    const parses = countParses();
    const { folder } = moduleFolder(configOf('1.0.0'));
    for (let time = 0; time < 5; time += 1) expect(await versionIn(folder)).toBe('1.0.0');
    expect(parses()).toBe(1);
  });

  it('is parsed again when it is another, even one of the same length and time', async () => {
    const { folder, write } = moduleFolder(configOf('1.0.0'));
    expect(await versionIn(folder)).toBe('1.0.0');
    const before = statSync(join(folder, 'config.yaml'), { bigint: true }).ctimeNs;
    // The clock of the disk has to tick: its ctime is what nobody can set back.
    await vi.waitUntil(() => {
      write(configOf('1.0.1'));
      return statSync(join(folder, 'config.yaml'), { bigint: true }).ctimeNs !== before;
    });
    expect(await versionIn(folder)).toBe('1.0.1');
    expect(readFileSync(join(folder, 'config.yaml'), 'utf8')).toBe(configOf('1.0.1'));
  });

  it('is parsed each time while it may still be being written', async () => {
    const parses = countParses();
    const { folder } = moduleFolder(configOf('1.0.0'), new Date(Date.now() + 60_000));
    await versionIn(folder);
    await versionIn(folder);
    expect(parses()).toBe(2);
  });

  it('is parsed again for other variables of the environment', async () => {
    const { folder } = moduleFolder(configOf('1.0.0'));
    expect(await versionIn(folder, {})).toBe('1.0.0');
    expect(await versionIn(folder, { PLEXI_MODULE__PROBE__MODULE_VERSION: '2.0.0' })).toBe('2.0.0');
    expect(await versionIn(folder)).toBe('1.0.0');
  });

  it('is kept apart from what is done to the manifest that it gave', async () => {
    const { folder } = moduleFolder(configOf('1.0.0'));
    for (let time = 0; time < 3; time += 1) {
      const found = await discoverModule(folder);
      if (!found.ok) expect.fail(found.reasons.join('\n'));
      expect(found.manifest.settings).not.toHaveProperty('spoiled');
      Object.assign(found.manifest.settings, { spoiled: true });
    }
  });
});
