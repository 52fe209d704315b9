/**
 * Which modules' schedules some host looks after. A schedule whose module is served nowhere any more is an orphan: it
 * would queue a run that nobody takes, and on the module's return surprise everyone.
 */
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { RecordStore } from '../queue/backend.ts';
import { isQueueOf } from './plan.ts';

export interface Claim {
  readonly module: string;
  readonly queues: readonly string[];
}

const checkClaim = Compile(Type.Object({ at: Type.Number(), queues: Type.Array(Type.String()) }));
const START = 'served/';
/** A claim that nobody renewed for so long has lapsed; hosts renew theirs every minute. */
const LAPSE_MS = 5 * 60_000;

export class Claims {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  async renew({ module, queues }: Claim, now: number): Promise<void> {
    await this.#records.write(START + module, JSON.stringify({ at: now, queues }));
  }

  /** The queues that the module had when its claim was last renewed. */
  async queuesOf(module: string): Promise<readonly string[]> {
    const text = await this.#records.read(START + module);
    return text === undefined ? [] : readClaim(module, text).queues;
  }

  /** @param isExclusive no other host can have renewed anything */
  async lapsed(present: ReadonlySet<string>, isExclusive: boolean, now: number): Promise<Claim[]> {
    const lapsed: Claim[] = [];
    for (const [key, text] of await this.#records.list(START)) {
      const module = key.slice(START.length);
      const claim = readClaim(module, text);
      if (!present.has(module) && (isExclusive || now - claim.at > LAPSE_MS)) {
        lapsed.push({ module, queues: claim.queues });
      }
    }
    return lapsed;
  }

  async drop(module: string): Promise<void> {
    await this.#records.delete(START + module);
  }
}

/** Boundary: a record can be edited like everything in the queue, and must not name queues of another module. */
function readClaim(module: string, text: string): { at: number; queues: string[] } {
  try {
    const claim: unknown = JSON.parse(text);
    if (!checkClaim.Check(claim)) return { at: 0, queues: [] };
    return { at: claim.at, queues: claim.queues.filter((queue) => isQueueOf(module, queue)) };
  } catch {
    return { at: 0, queues: [] };
  }
}
