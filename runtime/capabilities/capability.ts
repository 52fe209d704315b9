/** What every host side of a capability gets, and how its methods become entries of the guarded call table. */
import { isErrorCode, PlexiError } from '@plexichat/sdk/protocol/errors';
import type { CallResult } from '@plexichat/sdk/protocol/guest-api';
import { type CallTable, type CapabilityMethod, createCallTable } from '../bridge/guard.ts';
import type { Quota } from '../bridge/quota.ts';
import type { Session } from '../bridge/session.ts';
import type { OpenInvocations } from './open-invocations.ts';

export interface CapabilityContext {
  /** The module that calls; nothing in a call can say otherwise. */
  readonly module: string;
  readonly session: () => Session;
  /** Counts a log line; false: it is to be dropped. */
  readonly admitLine: () => boolean;
  /** Fires when the instance ends. */
  readonly signal: AbortSignal;
  /** What runs in the instance. */
  readonly invocations?: OpenInvocations;
}

/** A capability's host side for one instance: method → what it does with arguments that nobody has checked yet. */
export type Capability = (
  context: CapabilityContext,
) => Record<string, (...args: unknown[]) => Promise<unknown> | unknown>;

/** @param quota every call is counted before the capability sees it. */
export function createCapabilityTable(
  capabilities: Readonly<Record<string, Capability>>,
  context: Omit<CapabilityContext, 'admitLine'>,
  quota: Quota,
  onFailure: (call: string, error: unknown) => void,
): CallTable {
  const table: Record<string, Record<string, CapabilityMethod>> = {};
  const bound: CapabilityContext = { ...context, admitLine: () => quota.admitLine() };
  for (const [name, capability] of Object.entries(capabilities)) {
    const methods: Record<string, CapabilityMethod> = {};
    for (const [method, run] of Object.entries(capability(bound))) {
      methods[method] = (...args) => answer(`${name}.${method}`, () => quota.run(() => run(...args)), onFailure);
    }
    table[name] = methods;
  }
  return createCallTable(table);
}

/** Boundary: a guest gets a value, or a code and a sentence of ours; never a stack, a class or a host's own message. */
function answer(
  call: string,
  run: () => unknown,
  onFailure: (call: string, error: unknown) => void,
): CallResult | Promise<CallResult> {
  const fail = (error: unknown): CallResult => {
    if (error instanceof PlexiError && isErrorCode(error.code)) {
      return { ok: false, code: error.code, message: error.message };
    }
    onFailure(call, error);
    return { ok: false, code: 'INTERNAL', message: `The host failed at ${call}.` };
  };
  try {
    const value = run();
    return value instanceof Promise ? value.then(succeed, fail) : succeed(value);
  } catch (error) {
    return fail(error);
  }
}

function succeed(value: unknown): CallResult {
  return { ok: true, value };
}
