/** The host's storage over a real state, without cells: what a module sends is given to its methods as it came. */
import { onTestFinished } from 'vitest';
import type { CapabilityContext } from '../../runtime/capabilities/capability.ts';
import { createPermissionGate } from '../../runtime/capabilities/permission-gate.ts';
import { createStorage } from '../../runtime/capabilities/storage.ts';
import { type HostState, openState } from '../../runtime/state/state.ts';
import { createStorageEntries } from '../../runtime/state/storage-entries.ts';
import { tempFolder } from './temp-folder.ts';

const START = 1_800_000_000_000;

export interface StorageRoom {
  readonly state: HostState;
  readonly entries: ReturnType<typeof createStorageEntries>;
  readonly used: readonly string[];
  /** Milliseconds since the room was opened; the test sets them. */
  passed: number;
  call<Answer = unknown>(module: string, method: string, ...args: unknown[]): Promise<Answer>;
  usedBytes(module: string): Promise<number>;
}

/** @param large the modules that were granted storage:large */
export async function openStorageRoom({ large = [] as readonly string[], largeMb = 2 } = {}): Promise<StorageRoom> {
  const state = await openState(tempFolder(), { warn: () => {}, error: () => {} });
  const used: string[] = [];
  const gate = createPermissionGate({
    granted: (module) => (large.includes(module) ? [{ capability: 'storage' }] : []),
    onUsed: (module) => used.push(module),
  });
  const now = (): number => START + room.passed;
  const entries = createStorageEntries(state, now);
  const storage = createStorage(entries, gate, {
    mayKeep: (module) => module !== 'unknown',
    largeBytes: largeMb * 1024 * 1024,
    onFailure: () => {},
    now,
  });
  onTestFinished(async () => {
    await storage.close();
    await state.close();
  });
  const room: StorageRoom = {
    state,
    entries,
    used,
    passed: 0,
    call: async (module, method, ...args) =>
      (await storage.capability({ module } as CapabilityContext)[method]?.(...args)) as never,
    async usedBytes(module) {
      const [row] = await state.query('SELECT used_bytes FROM storage_usage WHERE module = ?', [module]);
      return Number(row?.used_bytes ?? 0);
    },
  };
  return room;
}
