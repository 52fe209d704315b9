import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BundleError } from '../../runtime/modules/bundle-error.ts';
import { type ChoresOptions, createChores } from '../../runtime/modules/chores.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const WEATHER = join(import.meta.dirname, '../fixtures/modules/good-weather');
// Doubles the parser's work with each level: no machine gets through.
const ENDLESS = `export default ${'(() => {'.repeat(20_000)}x${'})'.repeat(20_000)};`;

function chores(options?: ChoresOptions) {
  const made = createChores(options);
  onTestFinished(() => made.close());
  return made;
}

test('a module is bundled in another thread', async () => {
  const bundle = await chores().bundle(WEATHER, 'weather');
  expect(bundle.code).toContain('return __plexiModule;');
  expect(bundle.hash).toMatch(/^[0-9a-f]{64}$/);
});

test('the issues of a module survive the way back', async () => {
  const folder = tempFolder({ 'module.ts': "import 'node:fs';\nexport default 1;" });
  const error = await chores()
    .bundle(folder, 'probe')
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(BundleError);
  expect(error).toMatchObject({ issues: [{ file: 'module.ts', line: 1, column: 8 }] });
});

test('a module that takes for ever is stopped at its deadline, and those that wait have their own', async () => {
  const { bundle } = chores({ deadlineMs: 3000 });
  const folder = tempFolder({ 'module.ts': ENDLESS });
  const endless = bundle(folder, 'endless').catch((reason: unknown) => reason);
  const others = Promise.all([bundle(WEATHER, 'weather'), bundle(WEATHER, 'weather')]);
  expect(await endless).toMatchObject({
    issues: [{ message: 'Bundling endless took longer than 3 seconds and was stopped.' }],
  });
  expect(await others).toHaveLength(2);
});

/** Children of this process that are bundlers, dead ones that nobody asked about included. */
function bundlers(): number {
  const ofThreads = readdirSync(`/proc/${process.pid}/task`).map((thread) => {
    try {
      return readFileSync(`/proc/${process.pid}/task/${thread}/children`, 'utf8');
    } catch {
      return '';
    }
  });
  const pids = new Set(ofThreads.join(' ').split(/\s+/).filter(Boolean));
  return [...pids].filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').includes('esbuild');
    } catch {
      return false;
    }
  }).length;
}

test.runIf(process.platform === 'linux')(
  'no bundler is left behind, neither by work that is done nor by work that was stopped',
  async () => {
    const { bundle } = chores({ deadlineMs: 1500 });
    await bundle(WEATHER, 'weather');
    await until(() => bundlers() === 0);
    const folder = tempFolder({ 'module.ts': `export const x = [${'()=>{},'.repeat(700_000)}];` });
    const stopped = chores({ deadlineMs: 600 })
      .bundle(folder, 'large')
      .catch((reason: unknown) => reason);
    await until(() => bundlers() === 1);
    expect(await stopped).toBeInstanceOf(BundleError);
    await until(() => bundlers() === 0);
  },
);

test('more work than may wait is refused', async () => {
  const { bundle } = chores({ maxWaiting: 1 });
  const work = [1, 2, 3].map(() => bundle(WEATHER, 'weather'));
  const outcomes = await Promise.allSettled(work);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
});
