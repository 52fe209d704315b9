/** Boundary: a head is weighed before it is parsed. What it weighs counts against the bytes that an instance may send. */
import { structureCost } from '@plexichat/sdk/protocol/json-cost';
import { FrameError, MAX_DEPTH } from './codec.ts';

/**
 * Of one head. It is parsed in one go and nobody else is served until that is done: this much takes some fifty
 * milliseconds at worst. A guest's kernel cuts its batches long before.
 */
const MAX_STRUCTURE_COST = 4 * 1024 * 1024;
/** Of one batch; a guest's kernel cuts them at a thousand. */
export const MAX_MESSAGES = 2048;
/** A call costs the host this much even when it is refused: it is answered. */
export const CALL_COST = 256;
/** A batch, and each part of it, cost the host more than what is in them when that is next to nothing. */
const MIN_COST_BYTES = 256;
/** Given back for an answer that somebody waits for: its frame, as a guest's kernel writes it, costs a little more. */
export const ANSWER_COST = 512;

/** @returns what the parsing of a head costs beyond its characters. @throws FrameError for one that nobody may parse */
export function weighHead(head: string): number {
  const cost = structureCost(head, MAX_DEPTH);
  if (cost === undefined) throw new FrameError(`nests deeper than ${MAX_DEPTH} levels`);
  if (cost > MAX_STRUCTURE_COST) throw new FrameError('holds more lists, objects and keys than one batch may');
  return cost + MIN_COST_BYTES;
}

export function weighPart(part: Uint8Array): number {
  return Math.max(part.byteLength, MIN_COST_BYTES);
}
