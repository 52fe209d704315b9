import { describe, expect, it } from 'vitest';
import { Resident, type ResidentThread } from '../../runtime/cell/resident.ts';
import { Spin } from '../../runtime/cell/spin.ts';

describe('a thread that does not come to rest', () => {
  /** What is said in each second, for a thread that is active for this share of it. */
  function said(shares: readonly number[]): (number | undefined)[] {
    const spin = new Spin();
    let active = 0;
    spin.look(active, 0);
    return shares.map((share, index) => {
      active += share * 1_000;
      return spin.look(active, (index + 1) * 1_000);
    });
  }

  it('is told of after five seconds, and each second from then on', () => {
    expect(said([1, 1, 1, 1, 1, 0.96, 1])).toEqual([undefined, undefined, undefined, undefined, 5, 6, 7]);
  });

  it('starts anew with any second in which it rested', () => {
    expect(said([1, 1, 1, 1, 0.9, 1, 1, 1, 1]).every((word) => word === undefined)).toBe(true);
  });

  it('is judged by whole seconds, however often one looks', () => {
    const spin = new Spin();
    const words = Array.from({ length: 60 }, (_value, index) => spin.look(index * 100, index * 100));
    expect(words.filter((word) => word !== undefined)).toEqual([5]);
  });
});

describe('the resident set of a cell', () => {
  const thread = (activeMs: number): ResidentThread => ({ memoryMb: 64, activeMs });

  it('that is allowed by its modules is nobody’s fault', () => {
    const resident = new Resident();
    const threads = new Map(Array.from({ length: 100 }, (_value, channel) => [channel, thread(1)]));
    for (let look = 0; look < 20; look++) expect(resident.look(2_000, threads)).toBeUndefined();
  });

  it('over that for three looks names the thread that was most active meanwhile', () => {
    const resident = new Resident();
    const [busyBefore, evil] = [1, 2];
    const look = (megabytes: number, before: number, now: number) =>
      resident.look(
        megabytes,
        new Map([
          [busyBefore, thread(before)],
          [evil, thread(now)],
        ]),
      );
    expect(look(300, 60_000, 10)).toBeUndefined();
    expect(look(700, 60_010, 500)).toBeUndefined();
    expect(look(700, 60_020, 900)).toBeUndefined();
    expect(look(700, 60_500, 910)?.thread).toBe(evil);
  });

  it('that came down again in between is forgiven: it was garbage', () => {
    const resident = new Resident();
    const threads = new Map([[1, thread(1)]]);
    for (const megabytes of [500, 500, 300, 500, 500, 300]) expect(resident.look(megabytes, threads)).toBeUndefined();
  });

  it('far over what is allowed is not waited for', () => {
    const resident = new Resident();
    const threads = new Map([[1, thread(1)]]);
    expect(resident.look(2_000, threads)?.detail).toBe('the cell has 2000 MB, allowed are 376');
  });
});
