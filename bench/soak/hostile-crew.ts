/** Keeps so many hostile modules at it: each is asked to misbehave again and again for a while, then the next has its turn. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AbuseRequest } from '../../test/support/abuse-table.ts';
import type { HostileModule } from './hostile-modules.ts';

export interface HostileCrew {
  /** Those at it now. */
  readonly active: readonly string[];
  /** By module: how often it was asked, and what its client got. */
  readonly asked: ReadonlyMap<string, ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

export interface CrewOptions {
  readonly url: string;
  readonly modules: readonly HostileModule[];
  readonly atOnce: number;
  /** How long each has its turn. */
  readonly turnMs: number;
}

/** Between two requests to one of them: their cost is in what they do, not in how often they are asked. */
export const PAUSE_MS = 300;
/** A client of a module that never answers has enough by then. */
const PATIENCE_MS = 10_000;

export function startHostileCrew({ url, modules, atOnce, turnMs }: CrewOptions): HostileCrew {
  const asked = new Map<string, Map<string, number>>();
  const active = new Set<string>();
  const stop = new AbortController();
  let next = 0;

  const takeTurns = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      // When all had their turn the first ones have another; those that are parked by then only cost a refusal.
      const module = modules[next++ % modules.length];
      if (module === undefined) return;
      active.add(module.name);
      const answers = asked.get(module.name) ?? new Map<string, number>();
      asked.set(module.name, answers);
      const end = performance.now() + turnMs;
      while (performance.now() < end && !stop.signal.aborted) {
        const answer = await misbehave(url, module.request, stop.signal);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
        await sleep(PAUSE_MS, undefined, { signal: stop.signal }).catch(() => {});
      }
      active.delete(module.name);
    }
  };
  const ended = Promise.all(Array.from({ length: atOnce }, takeTurns));
  return {
    get active() {
      return [...active];
    },
    asked,
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

/** @returns the status, `left` when its client had enough, `cut` when the answer broke off */
export async function misbehave(url: string, request: AbuseRequest, stop: AbortSignal): Promise<string> {
  const { path, method = 'GET', body, timeoutMs = PATIENCE_MS } = request;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  try {
    const response = await fetch(url + path, { method, signal, ...(body === undefined ? {} : { body }) });
    for await (const _chunk of response.body ?? []);
    return String(response.status);
  } catch {
    return signal.aborted ? 'left' : 'cut';
  }
}
