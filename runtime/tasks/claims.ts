/**
 * Which modules' schedules some host looks after, in which version, and which queues they have had. A schedule whose
 * module no host knows any more is an orphan; and while versions differ, the newest one rules the schedules.
 */
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { RecordStore } from '../queue/backend.ts';
import { isQueueOf } from './plan.ts';

const ClaimSchema = Type.Object({
  /** Epoch milliseconds, by the clock of the host that wrote it: when a host that knows the module last said so. */
  at: Type.Number(),
  /** When a host that runs its tasks last said so. */
  servedAt: Type.Number(),
  version: Type.String({ maxLength: 100 }),
  /** Queue → when it was last one of the module's. */
  queues: Type.Record(Type.String(), Type.Number()),
});
export type Claim = Static<typeof ClaimSchema>;

const checkClaim = Compile(ClaimSchema);
const START = 'served/';
/** Hosts renew their claims every minute; what nobody renewed for so long has lapsed. */
export const LAPSE_MS = 5 * 60_000;

export class Claims {
  readonly #records: RecordStore;
  /** Since when, by this host's own clock, each claim has stood as it does: other hosts' clocks may be wrong. */
  readonly #seen = new Map<string, { readonly at: number; readonly since: number }>();

  constructor(records: RecordStore) {
    this.#records = records;
  }

  async read(module: string): Promise<Claim | undefined> {
    const text = await this.#records.read(START + module);
    return text === undefined ? undefined : readClaim(module, text);
  }

  async write(module: string, claim: Claim): Promise<void> {
    await this.#records.write(START + module, JSON.stringify(claim));
  }

  async drop(module: string): Promise<void> {
    this.#seen.delete(module);
    await this.#records.delete(START + module);
  }

  /** After the queue was away nobody could renew anything: everyone gets the full time again. */
  forget(): void {
    this.#seen.clear();
  }

  /** @param isExclusive no other host can have renewed anything */
  async lapsed(present: ReadonlySet<string>, isExclusive: boolean): Promise<Map<string, Claim>> {
    const lapsed = new Map<string, Claim>();
    const now = performance.now();
    for (const [key, text] of await this.#records.list(START)) {
      const module = key.slice(START.length);
      if (present.has(module)) continue;
      const claim = readClaim(module, text);
      const seen = this.#seen.get(module);
      if (seen?.at !== claim.at) this.#seen.set(module, { at: claim.at, since: now });
      const stoodMs = seen?.at === claim.at ? now - seen.since : 0;
      if (isExclusive || stoodMs > LAPSE_MS) lapsed.set(module, claim);
    }
    return lapsed;
  }
}

const NOBODY: Claim = { at: 0, servedAt: 0, version: '', queues: {} };

/** Boundary: a record can be edited like everything in the queue, and must not name queues of another module. */
function readClaim(module: string, text: string): Claim {
  try {
    const claim: unknown = JSON.parse(text);
    if (!checkClaim.Check(claim)) return NOBODY;
    const own = Object.entries(claim.queues).filter(([queue]) => isQueueOf(module, queue));
    return { ...claim, queues: Object.fromEntries(own) };
  } catch {
    return NOBODY;
  }
}
