/** Asks the gateway several times a second whether it lives: the first question that goes unanswered is a dead gateway. */
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../support/statistics.ts';

export interface HealthWatch {
  readonly failures: readonly string[];
  readonly asked: number;
  p99(): number;
  slowest(): number;
  stop(): Promise<void>;
}

const EVERY_MS = 200;
const PATIENCE_MS = 5_000;

export function watchHealth(url: string): HealthWatch {
  const failures: string[] = [];
  const latencies: number[] = [];
  const stop = new AbortController();
  const go = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const start = performance.now();
      try {
        const { status, body } = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(PATIENCE_MS) });
        await body?.cancel();
        if (status !== 200) failures.push(`healthz: ${status}`);
      } catch (error) {
        failures.push(`healthz: ${error instanceof Error ? error.message : String(error)}`);
      }
      latencies.push(performance.now() - start);
      await sleep(EVERY_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  };
  const ended = go();
  return {
    failures,
    get asked() {
      return latencies.length;
    },
    p99: () =>
      percentile(
        latencies.toSorted((a, b) => a - b),
        99,
      ),
    slowest: () => Math.max(0, ...latencies.slice(-1_000_000)),
    async stop() {
      stop.abort();
      await ended;
    },
  };
}
