/** A client that asks one thing of one neighbour, again and again, and keeps how long it took and what was wrong. */
export interface Tally {
  /** How long each right answer took. */
  readonly latenciesMs: number[];
  /** Answers that said to come back later. */
  refused: number;
  /** What was neither right nor such a refusal. */
  readonly wrong: string[];
}

export interface SteadyClient {
  /** What came since the last time. */
  take(): Tally;
  /** Whether the last answer was right. */
  readonly isWell: boolean;
  /** Right answers since the last time. */
  readonly answered: number;
  stop(): Promise<void>;
}

export interface SteadyQuestion {
  /** @returns undefined when the answer is right; else what was wrong with it */
  ask(turn: number): Promise<string | undefined>;
  readonly atOnce: number;
}

/** Between two questions: a client that is steady, not one that uses up the machine. */
const PAUSE_MS = 12;
/** What a refusal begins with. */
export const REFUSED = 'come back later';

export function startSteadyClient({ ask, atOnce }: SteadyQuestion): SteadyClient {
  let tally = emptyTally();
  let well = true;
  let stopped = false;
  let turn = 0;
  const go = async (): Promise<void> => {
    while (!stopped) {
      const start = performance.now();
      const problem = await ask(turn++).catch((error: unknown) => `no answer: ${reasonOf(error)}`);
      well = problem === undefined;
      if (problem === undefined) tally.latenciesMs.push(performance.now() - start);
      else if (problem === REFUSED) tally.refused += 1;
      else tally.wrong.push(problem);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const loops = Array.from({ length: atOnce }, go);
  return {
    take() {
      const taken = tally;
      tally = emptyTally();
      return taken;
    },
    get isWell() {
      return well;
    },
    get answered() {
      return tally.latenciesMs.length;
    },
    async stop() {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

export function p99({ latenciesMs }: Tally): number {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? 0;
}

function emptyTally(): Tally {
  return { latenciesMs: [], refused: 0, wrong: [] };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
