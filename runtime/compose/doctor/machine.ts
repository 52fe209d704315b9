/** Whether this machine has what the settings count on. */
import { readdir, readFile } from 'node:fs/promises';
import { satisfies } from 'semver';
import { AUTO_CELLS } from '../../cells/pool.ts';
import type { HostSettings } from '../../config/settings-schema.ts';
import { type Finding, failed, off, on } from './finding.ts';

export interface MachineFacts {
  /** Such as `v26.1.0`. */
  readonly nodeVersion: string;
  /** The range that this package claims. */
  readonly claimedNode: string;
  /** What may still be taken, also by the limits of a container. */
  readonly freeBytes: number;
  /** Files and sockets that one process may have open; undefined where nobody says. */
  readonly openFiles: number | undefined;
  /** Cells that run modules at once. */
  readonly cells: number;
}

export function judgeMachine(settings: HostSettings, facts: MachineFacts): readonly Finding[] {
  return [judgeNode(facts), judgeMemory(settings, facts), judgeOpenFiles(settings, facts)];
}

export async function readMachine({ cells, modules }: HostSettings): Promise<MachineFacts> {
  return {
    nodeVersion: process.version,
    claimedNode: await readClaim(),
    freeBytes: process.availableMemory(),
    openFiles: openFileLimit(),
    cells: cells === 'auto' ? AUTO_CELLS : cells === 'per-module' ? await countFolders(modules) : cells,
  };
}

const MB = 1024 * 1024;
/** Of the host itself: sockets of cells, the queue, egress, files. */
const OWN_FILES = 512;

function judgeNode({ nodeVersion, claimedNode: claimed }: MachineFacts): Finding {
  const name = 'node version';
  if (satisfies(nodeVersion, claimed))
    return on(name, `Node ${nodeVersion} is one that the walls are tested on (${claimed}).`);
  return failed(
    name,
    'platform',
    `Node ${nodeVersion} is not: before ${claimed} its permissions do not cover the network.`,
    `Install Node ${claimed}.`,
  );
}

function judgeMemory({ limits }: HostSettings, { freeBytes, cells }: MachineFacts): Finding {
  const name = 'memory';
  const free = Math.round(freeBytes / MB);
  const wanted = limits.max_memory_mb * cells;
  const sum = `${cells} cells with one module each at its limit (limits.max_memory_mb) take ${wanted} MB`;
  if (free >= wanted) return on(name, `${free} MB can be had; ${sum}.`);
  return off(
    name,
    `Only ${free} MB can be had, and ${sum}: the system may end the host before a limit ends a module.`,
    'Lower limits.max_memory_mb, or give the machine more memory.',
  );
}

function judgeOpenFiles({ limits }: HostSettings, { openFiles }: MachineFacts): Finding {
  const name = 'open files';
  const wanted = limits.max_inflight + OWN_FILES;
  if (openFiles === undefined) return on(name, 'This system has no such limit, or does not tell it.');
  if (openFiles >= wanted)
    return on(name, `${openFiles} may be open, and ${limits.max_inflight} requests at once need ${wanted}.`);
  return off(
    name,
    `Only ${openFiles} may be open, and ${limits.max_inflight} requests at once (limits.max_inflight) need ${wanted}: connections would be refused.`,
    `Raise it (ulimit -n ${wanted}, LimitNOFILE=${wanted}), or lower limits.max_inflight.`,
  );
}

async function readClaim(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { engines: { node: string } }).engines.node;
}

async function countFolders(path: string): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return Math.max(1, entries.filter((entry) => entry.isDirectory()).length);
}

function openFileLimit(): number | undefined {
  // Otherwise it asks the name service for the names of all peers.
  const report = Object.assign(process.report, { excludeNetwork: true }).getReport();
  const { userLimits } = report as { userLimits?: { open_files?: { soft?: number | string } } };
  const soft = userLimits?.open_files?.soft;
  if (soft === 'unlimited') return Number.POSITIVE_INFINITY;
  return typeof soft === 'number' ? soft : undefined;
}
