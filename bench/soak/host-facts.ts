/** What the soaked host takes of the machine. Linux tells; elsewhere there is nothing to compare. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMb } from '../../runtime/cells/cell-memory.ts';
import { treeMemory } from '../support/process-memory.ts';
import { median } from '../support/statistics.ts';

export interface HostFacts {
  /** Resident memory of the host's own process, without its cells. */
  readonly residentMb: number;
  /** Of its main thread, after a collection: objects, and what lies outside of the heap. */
  readonly heapMb: number;
  readonly externalMb: number;
  /** With its cells. */
  readonly treeMb: number;
  readonly processes: number;
  /** Open files and sockets of the host. */
  readonly descriptors: number;
  /** Of the host. */
  readonly threads: number;
}

const MB = 1024 * 1024;
const READINGS = 5;
const READING_EVERY_MS = 400;

/** @param memory as the host tells it */
export async function readHostFacts(processId: number, memory: NodeJS.MemoryUsage): Promise<HostFacts | undefined> {
  if (process.platform !== 'linux') return undefined;
  const resident: number[] = [];
  for (let reading = 0; reading < READINGS; reading++) {
    resident.push(residentMb(processId));
    await sleep(READING_EVERY_MS);
  }
  const tree = treeMemory(processId);
  return {
    residentMb: median(resident),
    heapMb: memory.heapUsed / MB,
    externalMb: memory.external / MB,
    treeMb: tree.residentKb / 1024,
    processes: tree.processes,
    descriptors: readdirSync(`/proc/${processId}/fd`).length,
    threads: readdirSync(`/proc/${processId}/task`).length,
  };
}
