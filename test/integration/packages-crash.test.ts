/** A host that is killed while it installs has the old versions or the new ones, whole, and nothing in between. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { manifestFile } from '../../runtime/modules/manifest.ts';
import { openPackageStore } from '../../runtime/packages/package-store.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const INSTALLER = fileURLToPath(new URL('../fixtures/packages/installer.ts', import.meta.url));
const KILLS = Number(process.env.PACKAGE_KILLS ?? 20);

test(`kill -9 at ${KILLS} random moments of installing and removing`, { timeout: 300_000 }, async () => {
  const folder = tempFolder();
  const random = seededRandom();
  let staged = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    await installUntilKilled(folder, kill * 10_000, random() * 150);
    staged += readdirSync(join(folder, 'packages/.staging')).length;
    await assertWhole(folder);
  }
  // Else it was never killed in the middle of anything.
  expect(staged).toBeGreaterThan(KILLS / 10);
  expect(acknowledged(folder).kept.size).toBeGreaterThan(0);
});

async function installUntilKilled(folder: string, first: number, afterMs: number): Promise<void> {
  const starts = countOf(folder, 'ready');
  const child = spawn(process.execPath, [INSTALLER, folder, String(first)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const closed = once(child, 'close');
  await until(() => child.exitCode !== null || countOf(folder, 'ready') > starts);
  // The random moment itself; nothing is expected to have happened by then.
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  await closed;
  expect(child.signalCode).toBe('SIGKILL');
}

async function assertWhole(folder: string): Promise<void> {
  const packages = join(folder, 'packages');
  const store = await openPackageStore({ folder: packages, manifestFile });
  const there = store.versions('probe').map(({ version }) => version);
  for (const version of there) expect(await store.isWhole('probe', version), version).toBe(true);
  expect(readdirSync(join(packages, '.staging'))).toEqual([]);
  // Every folder that bears the name of a version is one.
  expect(existsSync(join(packages, 'probe')) ? readdirSync(join(packages, 'probe')).sort() : []).toEqual(
    [...there].sort(),
  );
  const { kept, removed } = acknowledged(folder);
  expect([...kept].filter((version) => !there.includes(version))).toEqual([]);
  expect(there.filter((version) => removed.has(version))).toEqual([]);
  await store.close();
}

/** A removal that was begun and not acknowledged may have happened. */
function acknowledged(folder: string): { kept: Set<string>; removed: Set<string> } {
  const kept = new Set<string>();
  const removed = new Set<string>();
  for (const line of linesOf(folder)) {
    const version = line.slice(1);
    if (line.startsWith('+')) kept.add(version);
    if (line.startsWith('?')) kept.delete(version);
    if (line.startsWith('-')) removed.add(version);
  }
  return { kept, removed };
}

function countOf(folder: string, line: string): number {
  return linesOf(folder).filter((each) => each === line).length;
}

function linesOf(folder: string): string[] {
  const file = join(folder, 'acknowledged');
  // The last line may be cut off.
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}
