/** Starts instances: picks the cell, binds the capabilities, ties the exit. The one place where a guest gets its powers. */

import type { QuotaLimits } from '../bridge/quota.ts';
import { type Capability, createCapabilityTable } from '../capabilities/capability.ts';
import type { Logger } from '../observability/log.ts';
import { Instance, type InstanceExit } from './instance.ts';
import type { CellPool } from './pool.ts';
import type { LimitBreach } from './soft-limits.ts';

export interface SpawnRequest {
  readonly module: string;
  readonly code: Uint8Array;
  /** A Manifest without secrets. */
  readonly manifest: unknown;
  readonly memoryMb: number;
  /** Processor time of one invocation. */
  readonly cpuMs: number | undefined;
  /** It is over a soft limit. */
  readonly onSoftLimit: (breach: LimitBreach) => void;
  readonly onExit: (exit: InstanceExit) => void;
}

export interface SpawnerOptions {
  readonly cells: CellPool;
  readonly capabilities: Readonly<Record<string, Capability>>;
  /** Modules whose stacks are kept. */
  readonly diagnostics: ReadonlySet<string>;
  /** Modules that the operator lets the optimising compiler run for. */
  readonly fullJit: ReadonlySet<string>;
  readonly quota: QuotaLimits;
  /** A guest spoke to the bridge as none of ours does. */
  readonly onViolation: (module: string, reason: string) => void;
  readonly log: Logger;
}

export type Spawn = (request: SpawnRequest) => Instance;

export function createSpawner({
  cells,
  capabilities,
  diagnostics,
  fullJit,
  quota: limits,
  onViolation,
  log,
}: SpawnerOptions): Spawn {
  return ({ module, code, manifest, memoryMb, cpuMs, onSoftLimit, onExit }) => {
    const cell = cells.place({ module, jit: fullJit.has(module) ? 'full' : 'safe' });
    const ended = new AbortController();
    return new Instance({
      cell,
      module,
      code,
      manifest,
      memoryMb,
      cpuMs,
      quota: limits,
      onSoftLimit,
      diagnostics: diagnostics.has(module),
      calls: (session, quota, invocations) =>
        createCapabilityTable(
          capabilities,
          { module, session, signal: ended.signal, invocations },
          quota,
          (call, error) => log.error({ module, call, err: error }, 'a capability failed'),
        ),
      onViolation: (reason) => onViolation(module, reason),
      onExit: (exit) => {
        ended.abort();
        onExit(exit);
        // One that is asked to end runs code for the last time: it is a suspect like any other.
        cells.release(cell, { module, inFlight: exit.inFlight, lastUsed: exit.lastUsed, guilty: exit.tookCell });
      },
    });
  };
}
