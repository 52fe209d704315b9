import { expect, it } from 'vitest';
import { type Abuse, createAbuse } from '../support/abuse.ts';
import { FLOODS } from '../support/abuse-floods.ts';
import type { AbuseReport, Witness } from '../support/abuse-room.ts';
import { expectContained } from '../support/abuse-verdict.ts';

const WELL: Witness = {
  quietP99: 3,
  duringP99: 12,
  duringSlowest: 30,
  answered: 200,
  refused: 0,
  wrong: [],
};
const USED = { calls: 0, bytes: 0, lines: 0, logged: 0, requests: 0, requestsAtOnce: 0 };
const CONTAINED: AbuseReport = {
  answer: '503 MODULE_CRASHED',
  headers: undefined,
  reason: 'lines: 600 log lines in one second',
  tookCell: false,
  next: ['503 MODULE_UNAVAILABLE retry', '200'],
  used: { ...USED, lines: 2_000, logged: 40 },
  near: WELL,
  far: WELL,
  health: WELL,
};
const ABUSE = createAbuse(
  'floods',
  { answers: ['503 MODULE_CRASHED'], thread: 'ends', reasons: ['lines'], cell: 'lives', next: 'works' },
  'log lines',
  { atLeast: { lines: 1_000 }, atMost: { logged: 100 } },
);

const passes = (report: Partial<AbuseReport>, abuse: Abuse = ABUSE): boolean => {
  try {
    expectContained(abuse, { ...CONTAINED, ...report });
    return true;
  } catch {
    return false;
  }
};

it('an abuse that was contained passes', () => {
  expectContained(ABUSE, CONTAINED);
});

it.each<[string, Partial<AbuseReport>]>([
  ['a gateway that stood still', { health: { ...WELL, duringP99: 1_450, duringSlowest: 1_450, answered: 20 } }],
  ['a standstill that the p99 of many answers hides', { health: { ...WELL, duringSlowest: 3_500, answered: 900 } }],
  ['another cell that stood still', { far: { ...WELL, duringP99: 1_000, duringSlowest: 1_000 } }],
  ['a gateway that hardly answered', { health: { ...WELL, answered: 2 } }],
  ['another cell that hardly answered', { far: { ...WELL, answered: 2 } }],
  ['a neighbour that stood still', { near: { ...WELL, duringP99: 2_000, duringSlowest: 2_000 } }],
  ['a wrong answer', { far: { ...WELL, wrong: ['200 {}'] } }],
  ['another cell that was refused', { far: { ...WELL, refused: 1 } }],
  ['a neighbour that was refused although its cell lives', { near: { ...WELL, refused: 1 } }],
  ['another answer', { answer: '504 MODULE_TIMEOUT' }],
  ['another reason', { reason: 'heap: 90 MB of 32 MB' }],
  ['another reason after a crash', { reason: 'crashed 11 times within 10 minutes; last: heap: 90 MB of 32 MB' }],
  ['a thread that lives on', { reason: undefined }],
  ['a cell that died', { tookCell: true }],
  ['a module that does not come back', { next: ['503 MODULE_UNAVAILABLE retry'] }],
  ['a refusal that says nothing of coming back', { next: ['503 MODULE_UNAVAILABLE', '200'] }],
  ['a header that is not its to send', { headers: new Headers({ 'set-cookie': 'a=b' }) }],
  ['an abuse that hardly did anything', { used: { ...CONTAINED.used, lines: 10 } }],
  ['an abuse that came through', { used: { ...CONTAINED.used, logged: 2_000 } }],
])('%s does not pass', (_what, report) => {
  expect(passes(report)).toBe(false);
});

it('a neighbour whose cell died has time to move, and not for ever', () => {
  const dead = { ...ABUSE, outcome: { ...ABUSE.outcome, cell: 'may die' } } as const;
  const moved = (duringP99: number) => ({ tookCell: true, near: { ...WELL, duringP99, duringSlowest: duringP99 } });
  expect(passes(moved(2_000), dead)).toBe(true);
  expect(passes(moved(5_000), dead)).toBe(false);
});

it('a machine that was slow before does not excuse a gateway that stands still', () => {
  expect(passes({ health: { ...WELL, quietP99: 200, duringP99: 3_500, duringSlowest: 3_500 } })).toBe(false);
});

it('a busy machine moves the bound: what was slow before may be slow meanwhile', () => {
  const slow = { ...WELL, quietP99: 90, duringP99: 400, duringSlowest: 500 };
  expect(passes({ health: slow, far: slow })).toBe(true);
});

it('no flood may end for more than two reasons', () => {
  expect(FLOODS.filter(({ outcome }) => outcome.reasons.length > 2).map(({ name }) => name)).toEqual([]);
});

it.each(['lines', 'calls', 'violations', 'bytes,flood'])('some flood ends for %s and for nothing else', (reasons) => {
  expect(FLOODS.filter(({ outcome }) => outcome.thread === 'ends' && outcome.reasons.join() === reasons)).not.toEqual(
    [],
  );
});
