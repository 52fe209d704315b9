/** Words on events that did not reach a handler, or that failed in it: at once, and then counted for a while. */
import { printable } from '../observability/printable.ts';

interface Told {
  readonly until: number;
  more: number;
}

export interface Trouble {
  readonly module: string;
  readonly event: string;
  readonly outcome: string;
  readonly detail: string | undefined;
}

export interface WarnLog {
  warn(facts: object, message: string): void;
}

const QUIET_MS = 10_000;
const MAX_TOLD = 10_000;

/** One line for a module and an outcome in ten seconds; the next says how many there were meanwhile. */
export function createDropWords(log: WarnLog, now: () => number = Date.now): (trouble: Trouble) => void {
  const told = new Map<string, Told>();
  return ({ module, event, outcome, detail }) => {
    const key = `${module} ${outcome}`;
    const last = told.get(key);
    if (last !== undefined && now() < last.until) {
      last.more += 1;
      return;
    }
    if (told.size >= MAX_TOLD) told.clear();
    told.set(key, { until: now() + QUIET_MS, more: 0 });
    const more = last === undefined || last.more === 0 ? {} : { more: last.more };
    const words = detail === undefined ? {} : { detail: printable(detail) };
    log.warn({ module, event, outcome, ...more, ...words }, WORDS[outcome] ?? 'an event was dropped');
  };
}

const WORDS: Readonly<Record<string, string>> = {
  failed: "a module's handler of an event failed",
  timeout: "a module's handler of an event did not end in time",
  crashed: 'a module crashed under an event',
};
