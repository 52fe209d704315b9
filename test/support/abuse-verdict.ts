/** What every abuse has to end in, whatever its kind. */
import { expect } from 'vitest';
import type { Abuse } from './abuse.ts';
import type { AbuseReport, Witness } from './abuse-room.ts';

/** Generous: the machine has other things to do, and one module uses up one of its processors. */
const FACTOR = 20;
const FLOOR_MS = 1_500;
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

export function expectContained({ outcome }: Abuse, report: AbuseReport): void {
  const said = JSON.stringify(report, null, 1);
  expect(outcome.answers, said).toContain(report.answer);
  expectReason(outcome, report, said);
  for (const header of NEVER) expect(report.headers?.has(header) ?? false, `${header}: ${said}`).toBe(false);
  if (outcome.cell === 'lives') expect(report.tookCell, said).toBe(false);

  // The host answers all the time, and whoever lives in another cell notices nothing.
  expectWell(report.health, said);
  expectWell(report.far, said);
  expect(report.far.refused, said).toBe(0);
  expectWell(report.near, said);
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

function expectWell({ quietP99, duringP99, answered, wrong }: Witness, said: string): void {
  expect(wrong, said).toEqual([]);
  expect(answered, said).toBeGreaterThan(0);
  expect(duringP99, said).toBeLessThanOrEqual(Math.max(FACTOR * quietP99, FLOOR_MS));
}
