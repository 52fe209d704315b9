import { expect, it } from 'vitest';
import { ABUSES } from '../support/abuse-table.ts';

it('no two abuses share a module, and each has a name that a manifest may have', () => {
  const names = ABUSES.map(({ module }) => module);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-z][a-z0-9_]{1,63}$/.test(name))).toEqual([]);
});

it('every abuse that may end a thread says which reasons an operator may read', () => {
  expect(ABUSES.filter(({ outcome }) => outcome.thread !== 'lives' && outcome.reasons.length === 0)).toEqual([]);
});
