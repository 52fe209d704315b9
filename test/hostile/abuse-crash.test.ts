import { afterEach, describe, expect, it } from 'vitest';
import { FATAL } from '../support/abuse-life.ts';
import { CrashScene } from '../support/crash-scene.ts';
import { until } from '../support/until.ts';

/** V8's JSON parser takes the order to end for itself and goes on. */
const RESIST = `const text = '[' + '{"a":[1,2,3]},'.repeat(50_000) + '1]'; for (;;) JSON.parse(text);`;

describe('a module that crashes its cell', () => {
  let scene: CrashScene;
  const open = async (culprit: { routes?: string; members?: string }): Promise<void> => {
    scene = await CrashScene.open(culprit);
    await scene.wakeAll();
  };
  afterEach(() => scene.close());
  const CRASH = { routes: `this.router.get('/crash', () => ${FATAL});` };

  it('again and again: is alone soon, is parked with a reason, and nobody else pays', async () => {
    await open(CRASH);
    expect(await scene.ask('culprit', 'crash')).toMatch(/^503 MODULE_(CRASHED|UNAVAILABLE) retry$/);
    for (const name of scene.innocent) expect(await scene.ask(name)).toBe('200');
    const instances = scene.instances();

    // From here on it only takes itself along, until its budget is spent.
    await until(async () => {
      await scene.ask('culprit', 'crash');
      for (const name of scene.innocent) expect(await scene.ask(name)).toBe('200');
      return scene.module('culprit').state === 'parked';
    });
    expect(scene.instances()).toEqual(instances);
    expect(instances.every(({ alive }) => alive)).toBe(true);
    expect(scene.module('culprit').reasons.join('; ')).toMatch(
      /^crashed \d times within 10 minutes, \d of them with its cell; last: (cell|heap|stuck|memory): .+$/,
    );
    expect(await scene.ask('culprit')).toBe('503 MODULE_UNAVAILABLE retry');
    expect(scene.innocent.map((name) => scene.module(name).state)).toEqual(scene.innocent.map(() => 'running'));
    expect(scene.module('asleep').state).toBe('sleeping');
    expect(scene.chargedFor(...scene.innocent, 'asleep')).toEqual([]);
  });

  it('has what was in flight beside it run once more when that is a GET, and answered clearly when it is not', async () => {
    await open(CRASH);
    const [one, two] = scene.innocent;
    const get = scene.ask(one, 'slow');
    const post = scene.ask(two, 'slow', 'POST');
    await until(() => scene.ran(one) === 1 && scene.ran(two) === 1);
    const crash = scene.ask('culprit', 'crash');
    expect(await post).toBe('503 MODULE_CRASHED retry');
    expect(await get).toBe('200');
    expect(await crash).toMatch(/^503 MODULE_(CRASHED|UNAVAILABLE) retry$/);
    expect([scene.ran(one), scene.ran(two)]).toEqual([2, 1]);
    expect(scene.chargedFor(...scene.innocent)).toEqual([]);
    expect(await scene.ask(two, 'slow', 'POST')).toBe('200');
  });

  it.each([
    ['in its shutdown', `async shutdown() { ${FATAL}; }`],
    [
      'after its shutdown',
      `async shutdown() { let turn = 0; const again = () => { if (++turn < 50) return Promise.resolve().then(again); ${RESIST} }; void again(); }`,
    ],
  ])('%s is found out as well: from then on it falls asleep alone', async (_when, members) => {
    await open({ members });
    const before = scene.instances();
    await scene.fallAsleep('culprit');
    await until(() => before.every(({ alive }) => !alive));
    for (const name of ['culprit', 'asleep', ...scene.innocent]) expect(await scene.ask(name)).toBe('200');
    expect(scene.companyOf('culprit')).toEqual([]);
    const after = scene.instances();
    await scene.fallAsleep('culprit');
    expect(await scene.ask('culprit')).toBe('200');
    expect(after.every(({ alive }) => alive)).toBe(true);
    expect(scene.chargedFor('asleep', ...scene.innocent)).toEqual([]);
  });
});
