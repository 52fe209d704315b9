/** What every abuse has to end in, whatever its kind. */
import { expect } from 'vitest';
import type { Abuse, AbuseUse } from './abuse.ts';
import type { AbuseReport, Witness } from './abuse-room.ts';

interface Bound {
  /** Times the quiet p99 of the same run, as the machine may have other things to do: but within these two. */
  readonly factor: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Whoever shares the cell shares its processor, and may have to move. */
const NEAR: Bound = { factor: 20, leastMs: 1_500, mostMs: 10_000 };
/** Its cell died: it is told by the silence of a second, and the machine starts another one meanwhile. */
const MOVED: Bound = { ...NEAR, leastMs: 4_000 };
/** The gateway, and whoever has a cell of their own. */
const APART: Bound = { factor: 20, leastMs: 950, mostMs: 3_000 };
/** Of fewer answers a p99 says nothing. */
const MIN_ANSWERS = 20;
/** What a caller of a module that is in trouble may be told. */
const CLEAR = ['200', '504 MODULE_TIMEOUT retry', '503 MODULE_UNAVAILABLE retry', '503 MODULE_CRASHED retry'];
/** What no module says to a browser or to a connection. */
export const NEVER = [
  'set-cookie',
  'set-cookie2',
  'x-injected',
  'access-control-allow-origin',
  'clear-site-data',
  'service-worker-allowed',
  'proxy-authenticate',
  'upgrade',
  'trailer',
  'te',
];

/**
 * The verdict is about times too, and a shared machine may stand still for a second by itself: then it is measured once
 * more. What a module does to its host it does again.
 */
export const MEASURED = { timeout: 90_000, retry: 1 } as const;

export function expectContained({ outcome }: Abuse, report: AbuseReport): void {
  const said = JSON.stringify(report, null, 1);
  expect(outcome.answers, said).toContain(report.answer);
  expectReason(outcome, report, said);
  expectUse(outcome, report, said);
  for (const header of NEVER) expect(report.headers?.has(header) ?? false, `${header}: ${said}`).toBe(false);
  if (outcome.cell === 'lives') expect(report.tookCell, said).toBe(false);

  // The host answers all the time, and whoever lives in another cell notices nothing.
  expectWell('the gateway', report.health, APART, said);
  expectWell('another cell', report.far, APART, said);
  expect(report.far.refused, said).toBe(0);
  expectWell('the same cell', report.near, report.tookCell ? MOVED : NEAR, said);
  if (!report.tookCell) expect(report.near.refused, said).toBe(0);

  const last = report.next.at(-1);
  if (outcome.next === 'works') expect(last, said).toBe('200');
  for (const answer of report.next) expect(CLEAR, said).toContain(answer);
}

function expectReason({ thread, reasons }: Abuse['outcome'], { reason }: AbuseReport, said: string): void {
  if (thread === 'lives') expect(reason, said).toBeUndefined();
  if (thread === 'ends') expect(reason, said).toBeDefined();
  if (reason === undefined) return;
  const last = reason.replace(/^crashed .*; last: /s, '');
  expect(
    reasons.some((beginning) => last.startsWith(beginning)),
    said,
  ).toBe(true);
}

/** Both ways: that it was tried in earnest, and that no more came of it than may. */
function expectUse({ atLeast = {}, atMost = {} }: Abuse['outcome'], { used }: AbuseReport, said: string): void {
  const least = Object.entries(atLeast) as [keyof AbuseUse, number][];
  for (const [what, count] of least) expect(used[what], `${what}: ${said}`).toBeGreaterThanOrEqual(count);
  const most = Object.entries(atMost) as [keyof AbuseUse, number][];
  for (const [what, count] of most) expect(used[what], `${what}: ${said}`).toBeLessThanOrEqual(count);
}

function expectWell(
  who: string,
  { quietP99, duringP99, duringSlowest, answered, wrong }: Witness,
  { factor, leastMs, mostMs }: Bound,
  said: string,
): void {
  expect(wrong, `${who}: ${said}`).toEqual([]);
  expect(answered, `${who}: ${said}`).toBeGreaterThanOrEqual(MIN_ANSWERS);
  const allowedMs = Math.min(Math.max(factor * quietP99, leastMs), mostMs);
  expect(duringP99, `${who}, p99 in ms: ${said}`).toBeLessThanOrEqual(allowedMs);
  // The p99 of many hides a standstill, which delays no more answers than are asked for just then.
  expect(duringSlowest, `${who}, slowest in ms: ${said}`).toBeLessThanOrEqual(mostMs);
}
