import { afterEach, describe, expect, it } from 'vitest';
import { HostedModule } from '../../runtime/modules/hosted-module.ts';
import { neighbour } from '../support/abuse-neighbours.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const NAMES = ['anna', 'berta', 'clara', 'dora', 'emma', 'frida'];

const cache = sharedCache();
let at: TestHost;
afterEach(() => at.close());

/** A host with these modules awake. */
async function wakeAll(options: { cells?: string; config?: string }): Promise<void> {
  const { cells, config = '{}' } = options;
  at = await startTestHost({
    files: Object.assign({}, ...NAMES.map(neighbour)),
    config,
    cache,
    ...(cells === undefined ? {} : { settings: { cells } }),
  });
  expect(at.host.cells.processIds).toEqual([]);
  await askAll();
}

async function askAll(): Promise<void> {
  const answers = await Promise.all(NAMES.map((name) => fetch(`${at.url}/api/v1/${name}/add/1/1`)));
  expect(answers.map(({ status }) => status)).toEqual(NAMES.map(() => 200));
}

function module(name: string): HostedModule {
  const found = at.host.registry.list().find((candidate) => candidate.name === name);
  if (!(found instanceof HostedModule)) throw new Error(`${name} is not hosted`);
  return found;
}

function cellOf(name: string): number {
  const [instance] = module(name).instances;
  // Never 0: a signal to 0 goes to the whole process group of the test.
  if (instance?.cell.processId === undefined) throw new Error(`${name} runs in no cell`);
  return instance.cell.processId;
}

/** Modules per cell, most first. */
function crowds(): number[] {
  const cells = NAMES.map(cellOf);
  return [...new Set(cells)].map((cell) => cells.filter((other) => other === cell).length).sort((a, b) => b - a);
}

describe('cells', () => {
  it('auto: are two, and the modules are spread over them', async () => {
    await wakeAll({});
    expect(crowds()).toEqual([3, 3]);
    expect(at.host.cells.processIds).toHaveLength(2);
  });

  it.each([
    ['1', [6]],
    ['3', [2, 2, 2]],
    ['9', [1, 1, 1, 1, 1, 1]],
  ])('%s: are so many, as long as there are modules for them', async (cells, expected) => {
    await wakeAll({ cells });
    expect(crowds()).toEqual(expected);
    expect(at.host.cells.processIds).toHaveLength(expected.length);
  });

  it('per-module: hold one each; the death of one is its own, and it is charged for it', async () => {
    await wakeAll({ cells: 'per-module' });
    expect(crowds()).toEqual([1, 1, 1, 1, 1, 1]);
    const others = NAMES.slice(1).map(cellOf);
    process.kill(cellOf('anna'), 'SIGKILL');
    await until(() => module('anna').state === 'crashed');
    expect(module('anna').reasons).toEqual(['cell: killed by SIGKILL']);
    expect(NAMES.slice(1).map((name) => module(name).state)).toEqual(NAMES.slice(1).map(() => 'running'));
    await askAll();
    expect(NAMES.slice(1).map(cellOf)).toEqual(others);
  });

  it('N: the death of one costs those in it a restart, and nobody in another', async () => {
    await wakeAll({ cells: '2' });
    const dying = cellOf('anna');
    const near = NAMES.filter((name) => cellOf(name) === dying);
    const far = NAMES.filter((name) => cellOf(name) !== dying);
    expect([near.length, far.length]).toEqual([3, 3]);
    const [safe] = far.map(cellOf);
    process.kill(dying, 'SIGKILL');
    await until(() => near.every((name) => module(name).state === 'crashed'));
    expect(near.flatMap((name) => module(name).reasons)).toEqual(
      near.map(() => 'its cell died with it (killed by SIGKILL)'),
    );
    await askAll();
    expect(far.map(cellOf)).toEqual(far.map(() => safe));
  });

  it('keep a module with the full compiler apart, whatever their number', async () => {
    await wakeAll({ cells: '1', config: 'jit: { full: [dora] }' });
    expect(crowds()).toEqual([5, 1]);
    expect(NAMES.filter((name) => cellOf(name) === cellOf('dora'))).toEqual(['dora']);
  });

  it('are started when they are needed, and closed when nobody is left in them', async () => {
    await wakeAll({ cells: 'per-module' });
    const cell = cellOf('anna');
    await module('anna').stop(0);
    await until(() => !at.host.cells.processIds.includes(cell));
    expect(at.host.cells.processIds).toHaveLength(NAMES.length - 1);
  });
});
