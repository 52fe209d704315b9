/** Step: validate. Params, query and body against the declared schemas; every issue at once. */
import { type InputIssue, PlexiError } from '@plexichat/sdk/protocol/errors';
import { type Check, type CheckRun, createCheckRun, MAX_ISSUES, TooMuchWorkError } from './check.ts';
import { compileCheck } from './compile-check.ts';
import { compileConversion, type RawRecord } from './convert.ts';
import { compileDefaults, type FillDefaults } from './defaults.ts';
import type { SchemaNode } from './schema-node.ts';

export interface InputRules {
  readonly params?: RecordRules;
  readonly query?: RecordRules;
  readonly body?: ValueRules;
}

interface ValueRules {
  readonly check: Check;
  readonly fill: FillDefaults | undefined;
}

interface RecordRules extends ValueRules {
  readonly convert: (raw: RawRecord, run: CheckRun) => Record<string, unknown>;
}

export interface ValidInput {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  /** Whether defaults were filled into the body, so that its text is no longer what the module should get. */
  readonly bodyChanged: boolean;
}

export function compileValue(node: SchemaNode): ValueRules {
  return { check: compileCheck(node), fill: compileDefaults(node) };
}

export function compileRecord(node: SchemaNode): RecordRules {
  return { ...compileValue(node), convert: compileConversion(node) };
}

/** @throws PlexiError INVALID_INPUT */
export function validateInput(rules: InputRules, params: RawRecord, query: RawRecord, body: unknown): ValidInput {
  const issues: InputIssue[] = [];
  const validParams = validateRecord(rules.params, params, '/params', issues);
  const validQuery = validateRecord(rules.query, query, '/query', issues);
  const bodyChanged = rules.body !== undefined && validateValue(rules.body, body, '/body', issues);
  if (issues.length > 0) {
    const words = issues.length === 1 ? 'One value is' : `${issues.length} values are`;
    throw new PlexiError('INVALID_INPUT', `${words} not valid.`, { errors: issues });
  }
  return { params: validParams, query: validQuery, bodyChanged };
}

function validateRecord(rules: RecordRules | undefined, raw: RawRecord, at: string, issues: InputIssue[]) {
  if (rules === undefined) return raw;
  let value: Record<string, unknown> = {};
  withinBounds(at, issues, (run) => {
    value = rules.convert(raw, run);
    return checkFilled(rules, value, at, run);
  });
  return value;
}

function validateValue(rules: ValueRules, value: unknown, at: string, issues: InputIssue[]): boolean {
  if (value === undefined) {
    issues.push({ path: at, message: 'is required' });
    return false;
  }
  return withinBounds(at, issues, (run) => checkFilled(rules, value, at, run));
}

/** The first pass is quick and silent; only a value that failed is walked again to say why. */
function checkFilled(rules: ValueRules, value: unknown, at: string, run: CheckRun): boolean {
  const changed = rules.fill?.(value, run) ?? false;
  if (!rules.check(value, run)) rules.check(value, run, at);
  return changed;
}

function withinBounds(at: string, issues: InputIssue[], work: (run: CheckRun) => boolean): boolean {
  try {
    return work(createCheckRun(issues));
  } catch (error) {
    // A value nested deeper than the stack is as unwelcome as one that takes too long.
    if (!(error instanceof TooMuchWorkError || error instanceof RangeError)) throw error;
    if (issues.length < MAX_ISSUES)
      issues.push({ path: at, message: 'takes too much work to check; send less at once' });
    return false;
  }
}
