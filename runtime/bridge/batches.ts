/** Cuts the messages of a turn into batches that fit in frames. */
import { MAX_PARTS } from './codec.ts';
import type { Batch } from './outbox.ts';

/** Characters and bytes after which a batch is cut, so that a frame always fits. */
const BATCH_SIZE = 1024 * 1024;
/** Chunks after which a batch is cut: a client decides how many small ones an upload has. */
const BATCH_PARTS = MAX_PARTS / 2;

/** @param parts the binary part of the message at the same place in `heads` */
export function cutBatches(heads: readonly string[], parts: readonly (Uint8Array | undefined)[]): Batch[] {
  const batches: Batch[] = [];
  let start = 0;
  let size = 0;
  let chunks = 0;
  const cut = (end: number): void => {
    batches.push({
      head: `[${heads.slice(start, end).join(',')}]`,
      parts: parts.slice(start, end).filter((part) => part !== undefined),
    });
    start = end;
    size = 0;
    chunks = 0;
  };
  for (let index = 0; index < heads.length; index++) {
    const part = parts[index];
    const grown = (heads[index]?.length ?? 0) + (part?.byteLength ?? 0);
    if (index > start && (size + grown > BATCH_SIZE || chunks === BATCH_PARTS)) cut(index);
    size += grown;
    if (part !== undefined) chunks += 1;
  }
  if (heads.length > start) cut(heads.length);
  return batches;
}
