/** Clients that ask for runs all the time, whatever happens to the host, and remember what they were promised. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostPlace } from './host-place.ts';
import type { Ledger } from './task-ledger.ts';

export interface Crowd {
  /** Status → answers; 0 stands for a connection that was refused or cut. */
  readonly answers: ReadonlyMap<number, number>;
  stop(): Promise<void>;
}

const CLIENTS = 4;
const PAUSE_MS = 50;
const AFTER_REFUSAL_MS = 50;
/** So many promised runs may be open: what is asked for has to be worked off before the test can end. */
const MAX_OPEN = 1_000;

export function startCrowd(place: HostPlace, path: string, ledger: Ledger): Crowd {
  const answers = new Map<number, number>();
  let stopped = false;
  const ask = async (): Promise<number> => {
    try {
      const answer = await place.fetch(path, { method: 'POST', body: '{}', headers: JSON_BODY });
      // Promised is what the client has read to its end.
      const body = (await answer.json()) as { id?: string };
      if (answer.status === 202 && body.id !== undefined) ledger.promised.add(body.id);
      return answer.status;
    } catch {
      return 0;
    }
  };
  const client = async (): Promise<void> => {
    while (!stopped) {
      if (ledger.promised.size - ledger.reports.length > MAX_OPEN) {
        await sleep(AFTER_REFUSAL_MS);
        continue;
      }
      const status = await ask();
      answers.set(status, (answers.get(status) ?? 0) + 1);
      await sleep(status === 202 ? PAUSE_MS : AFTER_REFUSAL_MS);
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  return {
    answers,
    async stop() {
      stopped = true;
      await Promise.all(clients);
    },
  };
}

const JSON_BODY = { 'content-type': 'application/json' };
