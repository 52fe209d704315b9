/** What a confinement case may ask of the host: a real capability, over the real bridge, with methods made for the cases. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Capability } from '../../runtime/capabilities/capability.ts';

export interface CaseResult {
  readonly level: number;
  readonly notes: readonly string[];
}

/** Thrown on purpose: its text must never reach a guest. */
export class PlantedFailure extends Error {
  override readonly name = 'PlantedFailure';
}

export interface CaseHost {
  /** In the place of `users`, since the sdk hands what it is asked for on as it is. */
  readonly capability: Capability;
  /** What the case reached, as far as it could still say so. */
  readonly noted: () => CaseResult;
}

/** @param callBack invokes the case's own endpoint with these arguments */
export function createCaseHost(callBack: (args: readonly unknown[]) => Promise<unknown>): CaseHost {
  let noted: CaseResult = { level: 0, notes: [] };
  const values = new Map<unknown, unknown>();
  const methods: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
    echo: (value) => value,
    merge: (value) => Object.assign({}, value),
    failSync: () => {
      throw new PlantedFailure('SECRET of /runtime/host.mjs');
    },
    failAsync: () => Promise.reject(new PlantedFailure('SECRET of /runtime/host.mjs')),
    callMeBack: (...args) => callBack(args),
    kvSet: (key, value) => void values.set(key, value),
    kvGet: (key) => values.get(key),
    hostCheck: () => ({ polluted: 'polluted' in {} }),
    // What is neither text nor bytes ends at the cell, so nobody who asks this has seen any of it arrive.
    rawStats: () => ({ acceptedNonString: false }),
    note: (result) => {
      if (isResult(result) && result.level > noted.level) noted = result;
    },
  };
  return {
    capability: () => ({
      tier: (call) => {
        const [name, args] = Array.isArray(call) ? (call as unknown[]) : [];
        if (typeof name !== 'string' || !Object.hasOwn(methods, name) || !Array.isArray(args)) {
          throw new PlexiError('INVALID_CALL', 'No such method.');
        }
        return methods[name]?.(...(args as unknown[]));
      },
      permissions: () => [],
    }),
    noted: () => noted,
  };
}

export function isResult(value: unknown): value is CaseResult {
  return (
    typeof value === 'object' &&
    value !== null &&
    'level' in value &&
    typeof value.level === 'number' &&
    'notes' in value &&
    Array.isArray(value.notes)
  );
}
