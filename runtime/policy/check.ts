/** What a compiled check is: a closure over a schema, never generated code. */
import type { InputIssue } from '@plexichat/sdk/protocol/errors';
import type { LinearPattern } from './pattern.ts';

export const MAX_ISSUES = 20;
const MAX_STEPS = 1_000_000;

/** With `at` it reports every issue; without, it stops at the first one and builds no text. */
export type Check = (value: unknown, run: CheckRun, at?: string) => boolean;

/** One run over one value: what was found, and how much work is left. */
export interface CheckRun {
  readonly issues: InputIssue[];
  stepsLeft: number;
}

export const createCheckRun = (issues: InputIssue[] = []): CheckRun => ({ issues, stepsLeft: MAX_STEPS });

/** The work that a hostile schema and a hostile value can cause together is bounded. */
export class TooMuchWorkError extends Error {
  override readonly name = 'TooMuchWorkError';
}

export function spend(run: CheckRun, steps: number): void {
  run.stepsLeft -= steps;
  if (run.stepsLeft < 0) throw new TooMuchWorkError('takes too much work to check');
}

export function fail(run: CheckRun, at: string | undefined, message: string): false {
  if (at !== undefined && run.issues.length < MAX_ISSUES) run.issues.push({ path: at, message });
  return false;
}

/** All of them; without a place to report to, the first no is enough. */
export function every(checks: readonly Check[]): Check | undefined {
  const [first, second] = checks;
  if (first === undefined || second === undefined) return first;
  // A few are part of the price of the value; what a hostile schema heaps up on top is paid for.
  const steps = checks.length >> 2;
  return (value, run, at) => {
    spend(run, steps);
    let valid = true;
    for (const check of checks) {
      if (check(value, run, at)) continue;
      if (at === undefined) return false;
      valid = false;
    }
    return valid;
  };
}

/** JSON Schema's keywords say nothing about values of another type. */
export function onlyFor<Kind>(isKind: (value: unknown) => value is Kind, checks: readonly KindCheck<Kind>[]): Check[] {
  return checks.map((check) => (value, run, at) => !isKind(value) || check(value, run, at));
}
export type KindCheck<Kind> = (value: Kind, run: CheckRun, at?: string) => boolean;

export function matches(pattern: LinearPattern, text: string, run: CheckRun): boolean {
  spend(run, 1 + text.length * pattern.cost);
  return pattern.test(text);
}

/** JSON Pointer, RFC 6901. */
export function below(at: string | undefined, name: string): string | undefined {
  return at === undefined ? undefined : `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

export function countWords(least: number, most: number, noun: string): string {
  if (most === Number.POSITIVE_INFINITY) return `must have at least ${least} ${noun}`;
  return least === 0 ? `must have at most ${most} ${noun}` : `must have ${least} to ${most} ${noun}`;
}
