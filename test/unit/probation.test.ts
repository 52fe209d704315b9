import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PROBATION_CELLS, type Occupant, Probation } from '../../runtime/cells/probation.ts';

const MINUTE = 60_000;

function occupant(module: string, more: Partial<Occupant> = {}): Occupant {
  return { module, inFlight: 0, lastUsed: 0, guilty: false, ...more };
}
const busy = (...modules: string[]): Occupant[] => modules.map((module) => occupant(module, { inFlight: 1 }));

/** Modules by the probation cell that they belong to. */
function groups(probation: Probation, modules: readonly string[], now: number): string[][] {
  const byCell = Map.groupBy(modules, (module) => probation.cellOf(module, now));
  byCell.delete(undefined);
  return [...byCell.values()];
}

describe('when a cell dies', () => {
  it('and the culprit is known, nobody else is suspected', () => {
    const probation = new Probation();
    probation.judge([...busy('a', 'b'), occupant('evil', { guilty: true })], 0);
    expect(groups(probation, ['a', 'b', 'evil'], 1)).toEqual([['evil']]);
  });

  it('only those with something in flight are suspects, each in a cell of its own', () => {
    const probation = new Probation();
    probation.judge([...busy('a', 'b'), occupant('idle', { lastUsed: 9_999 })], 10_000);
    expect(groups(probation, ['a', 'b', 'idle'], 10_001)).toEqual([['a'], ['b']]);
  });

  it('those used just before are, if nobody had anything in flight', () => {
    const probation = new Probation();
    probation.judge([occupant('just', { lastUsed: 99_000 }), occupant('long', { lastUsed: 50_000 })], 100_000);
    expect(groups(probation, ['just', 'long'], 100_001)).toEqual([['just']]);
  });

  it('with more suspects than cells are free, they share in halves, whatever order they come in', () => {
    const names = Array.from({ length: 13 }, (_value, index) => `m${String(index).padStart(2, '0')}`);
    const [one, other] = [new Probation(), new Probation()];
    one.judge(busy(...names), 0);
    other.judge(busy(...names.toReversed()), 0);
    expect(groups(one, names, 1)).toEqual([names.slice(0, 7), names.slice(7)]);
    expect(groups(other, names, 1)).toEqual(groups(one, names, 1));
  });

  it('and who struck had answered long before, all who were there twice are suspects', () => {
    const probation = new Probation();
    const present = (...idle: string[]) => idle.map((module) => occupant(module));
    probation.judge([...busy('a'), ...present('b', 'evil')], MINUTE);
    expect(groups(probation, ['a', 'b', 'evil'], MINUTE + 1)).toEqual([['a']]);
    probation.judge([...busy('b'), ...present('c', 'evil')], 2 * MINUTE);
    expect(groups(probation, ['a', 'b', 'c', 'evil'], 2 * MINUTE + 1)).toEqual([['a'], ['b'], ['evil']]);
  });

  it('and one who strikes long after its answers lives with nobody else after a few deaths, whoever is busy then', () => {
    const probation = new Probation();
    const names = Array.from({ length: 13 }, (_value, index) => `m${String(index).padStart(2, '0')}`);
    let company = names;
    let deaths = 0;
    while (company.length > 1 && deaths < 20) {
      const victim = company.find((name) => name !== 'm05') ?? '';
      probation.judge(
        [...busy(victim), ...company.filter((name) => name !== victim).map((name) => occupant(name))],
        deaths,
      );
      deaths += 1;
      company = names.filter((name) => probation.cellOf(name, deaths) === probation.cellOf('m05', deaths));
    }
    expect(company).toEqual(['m05']);
    expect(deaths).toBeLessThanOrEqual(8);
  });

  it('and only one of many had something in flight, that proves nothing: its next term is no longer', () => {
    const probation = new Probation();
    for (let at = 0; at < 5; at += 1) probation.judge([...busy('victim'), occupant(`m${at}`)], at);
    expect(probation.cellOf('victim', 5 + 6 * MINUTE)).toBeUndefined();
  });

  it('again and again, the guilty one of many is alone after a few deaths', () => {
    const probation = new Probation();
    const names = Array.from({ length: 13 }, (_value, index) => `m${String(index).padStart(2, '0')}`);
    let company = names;
    let deaths = 0;
    while (company.length > 1 && deaths < 10) {
      probation.judge(busy(...company), deaths);
      deaths += 1;
      company = names.filter((name) => probation.cellOf(name, deaths) === probation.cellOf('m05', deaths));
    }
    expect(company).toEqual(['m05']);
    expect(deaths).toBeLessThanOrEqual(5);
  });

  it('there are never more probation cells than allowed, and every suspect has one', () => {
    const names = 'abcdefghijklmnop'.split('');
    const death = fc.record({
      minutes: fc.nat({ max: 20 }),
      suspects: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
      guilty: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(death, { maxLength: 30 }), (deaths) => {
        const probation = new Probation();
        let now = 0;
        for (const { minutes, suspects, guilty } of deaths) {
          now += minutes * MINUTE;
          probation.judge(
            suspects.map((module) => occupant(module, { inFlight: 1, guilty })),
            now,
          );
          expect(groups(probation, names, now).length).toBeLessThanOrEqual(MAX_PROBATION_CELLS);
          for (const module of suspects) expect(probation.cellOf(module, now)).toBeDefined();
        }
      }),
    );
  });
});

describe('a probation', () => {
  /** Minutes until a module that kills its cell again as soon as it may share is let out, each time. */
  function terms(occupants: readonly Occupant[], deaths: number): number[] {
    const probation = new Probation();
    let now = 0;
    return Array.from({ length: deaths }, () => {
      probation.judge(occupants, now);
      const start = now;
      while (probation.cellOf('evil', now) !== undefined) now += MINUTE;
      return (now - start) / MINUTE;
    });
  }

  it('of a module that is known to have killed a cell lasts twice as long each time, up to an hour', () => {
    expect(terms([occupant('evil', { guilty: true }), ...busy('a')], 6)).toEqual([5, 10, 20, 40, 60, 60]);
  });

  it('of a module that killed the cell that it had to itself does too', () => {
    expect(terms(busy('evil'), 3)).toEqual([5, 10, 20]);
  });

  it('of a mere suspect does not grow', () => {
    expect(terms(busy('evil', 'a'), 3)).toEqual([5, 5, 5]);
  });

  it('starts from the shortest again after an hour without a death', () => {
    const probation = new Probation();
    probation.judge([occupant('evil', { guilty: true })], 0);
    const later = 66 * MINUTE;
    probation.judge([occupant('evil', { guilty: true })], later);
    expect(probation.cellOf('evil', later + 6 * MINUTE)).toBeUndefined();
  });
});
