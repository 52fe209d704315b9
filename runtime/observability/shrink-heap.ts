/**
 * Gives the memory of a burst of work back to the system. V8 keeps the heap that loading hundreds of modules grew,
 * mostly empty, for as long as the process lives: measured with 200 modules, 81 MB of heap for 31 MB of objects.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type CollectGarbage = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/** Blocks for some tens of milliseconds: for the end of a start, not for a busy host. */
export function shrinkHeap(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as CollectGarbage;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
