/** Memory of a process and everything below it, as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs';

export interface TreeMemory {
  readonly processes: number;
  /** Pages that processes share count once per process. */
  readonly residentKb: number;
  /** Pages that processes share count once. */
  readonly proportionalKb: number;
}

export function canReadMemory(): boolean {
  return process.platform === 'linux';
}

export function treeMemory(root: number): TreeMemory {
  const tree = processTree(root);
  let residentKb = 0;
  let proportionalKb = 0;
  let processes = 0;
  for (const id of tree) {
    const resident = field(readIfThere(`/proc/${id}/status`), 'VmRSS');
    // A process that has ended may still be listed; it has no memory.
    if (resident > 0) processes += 1;
    residentKb += resident;
    proportionalKb += field(readIfThere(`/proc/${id}/smaps_rollup`), 'Pss');
  }
  return { processes, residentKb, proportionalKb };
}

const POLL_MS = 400;
/** Readings that have to agree. */
const WINDOW = 6;
/** Two readings that differ by less than this share are the same. */
const TOLERANCE = 0.003;

/** Waits until the readings stop moving, or for `maxMs`; at least `minMs`, for what ends by a clock. */
export async function settledMemory(root: number, minMs: number, maxMs: number): Promise<TreeMemory> {
  const start = performance.now();
  const readings: TreeMemory[] = [];
  for (;;) {
    const reading = treeMemory(root);
    readings.push(reading);
    const elapsed = performance.now() - start;
    if (elapsed >= maxMs || (elapsed >= minMs && isStable(readings.slice(-WINDOW)))) return reading;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function isStable(readings: readonly TreeMemory[]): boolean {
  const sizes = readings.map(({ residentKb }) => residentKb);
  return sizes.length === WINDOW && Math.max(...sizes) - Math.min(...sizes) <= Math.max(...sizes) * TOLERANCE;
}

export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // The name of a program may hold spaces and brackets; its parent comes after the last of them.
    const parent = /\) \S (\d+) [^)]*$/.exec(readIfThere(`/proc/${name}/stat`))?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const tree = [root];
  for (const known of tree) for (const [id, parent] of parents) if (parent === known) tree.push(id);
  return tree;
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
}

/** Empty when there is no such file: a process may end between two looks. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
