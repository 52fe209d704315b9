/** A steady client of one good module: asks by a plan, compares every answer, never asks a second time. */
import { letters } from './good-modules.ts';

export interface GoodTally {
  /** Valid requests, whatever came of them. */
  asked: number;
  /** Of these, answered 2xx. */
  served: number;
  /** Of these, refused for now, with a time to come back. */
  cameWithRetryAfter: number;
  /** Requests that are not valid, each of which has to be refused. */
  invalid: number;
  /** By what came instead of 2xx, and to which request. */
  readonly refusals: Map<string, number>;
  /** Answers that no request of its asked for. */
  readonly wrong: string[];
  readonly latenciesMs: number[];
}

export interface GoodClient {
  readonly tally: GoodTally;
  stop(): Promise<void>;
}

export interface GoodClientOptions {
  readonly url: string;
  readonly module: string;
  /** Of two users: what is kept for one must not be given to the other. */
  readonly tokens: readonly { readonly user: string; readonly token: string }[];
  /** Between two requests. */
  readonly pauseMs: number;
}

const ANSWER_MS = 30_000;
const MAX_WRONG = 20;
const KEYS = 7;

export function startGoodClient({ url, module, tokens, pauseMs }: GoodClientOptions): GoodClient {
  const tally: GoodTally = {
    asked: 0,
    served: 0,
    cameWithRetryAfter: 0,
    invalid: 0,
    refusals: new Map(),
    wrong: [],
    latenciesMs: [],
  };
  const base = `${url}/api/v1/${module}`;
  const stop = Promise.withResolvers<void>();
  let stopped = false;

  const go = async (): Promise<void> => {
    for (let turn = 0; !stopped; turn++) {
      const { user, token } = tokens[turn % tokens.length] ?? { user: '', token: '' };
      const question = QUESTIONS[turn % QUESTIONS.length]?.({ module, user, turn });
      if (question !== undefined) await ask(base, token, question, tally);
      await Promise.race([stop.promise, new Promise((resolve) => setTimeout(resolve, pauseMs))]);
    }
  };
  const ended = go();
  return {
    tally,
    async stop() {
      stopped = true;
      stop.resolve();
      await ended;
    },
  };
}

interface Turn {
  readonly module: string;
  readonly user: string;
  readonly turn: number;
}

interface Question {
  readonly path: string;
  readonly init?: RequestInit & { readonly duplex?: 'half' };
  /** The whole answer; undefined when it has to be refused with 422. */
  readonly answer: string | undefined;
}

const QUESTIONS: readonly ((turn: Turn) => Question)[] = [
  ({ module, user, turn }) => ({
    path: `/sum?a=${turn}&b=${turn + 1}`,
    answer: JSON.stringify({ who: module, user, sum: 2 * turn + 1 }),
  }),
  ({ module, user, turn }) => ({
    path: '/order',
    init: json({ id: turn, items: [turn + 1, turn + 2] }),
    answer: JSON.stringify({ who: module, user, id: turn, total: 2 * turn + 3 }),
  }),
  ({ module, user, turn }) => {
    const key = turn % KEYS;
    return { path: `/cached?key=${key}`, answer: JSON.stringify({ who: module, user, key, square: key ** 2 }) };
  },
  ({ turn }) => ({
    path: `/letters?size=${1 + ((turn * 977) % 100_000)}`,
    answer: letters(1 + ((turn * 977) % 100_000)),
  }),
  ({ module, turn }) => {
    const text = letters(1 + ((turn * 1031) % 60_000));
    return { path: '/upload', init: stream(text), answer: JSON.stringify({ who: module, ...sums(text) }) };
  },
  ({ turn }) => ({ path: '/order', init: json({ id: turn, items: [] }), answer: undefined }),
];

async function ask(base: string, token: string, { path, init, answer }: Question, tally: GoodTally): Promise<void> {
  const start = performance.now();
  if (answer === undefined) tally.invalid += 1;
  else tally.asked += 1;
  const name = `${init?.method ?? 'GET'} ${path.split('?', 1)[0]}`;
  const noAnswer = (how: string): void => {
    if (answer === undefined) return;
    const what = `${how} to ${name}`;
    tally.refusals.set(what, (tally.refusals.get(what) ?? 0) + 1);
  };
  let response: Response;
  let text: string;
  try {
    const headers = { ...init?.headers, authorization: `Bearer ${token}` };
    response = await fetch(base + path, { ...init, headers, signal: AbortSignal.timeout(ANSWER_MS) });
    text = await response.text();
  } catch (error) {
    noAnswer(`no answer: ${reasonOf(error)}`);
    return;
  }
  const { status, headers } = response;
  const isRight = answer === undefined ? status === 422 : status === 200 && text === answer;
  if (isRight) {
    tally.latenciesMs.push(performance.now() - start);
    if (answer !== undefined) tally.served += 1;
  } else if (status >= 500 || status === 429) {
    noAnswer(`${status} ${codeOf(text)}`);
    if (answer !== undefined && headers.has('retry-after')) tally.cameWithRetryAfter += 1;
  } else if (tally.wrong.length < MAX_WRONG) {
    tally.wrong.push(`${path}: ${status}, ${text.length} characters: ${text.slice(0, 200)}`);
  }
}

function json(value: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

const CHUNK = 7_000;

function stream(text: string): RequestInit & { duplex: 'half' } {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at + CHUNK));
      at += CHUNK;
    },
  });
  return { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body, duplex: 'half' };
}

function sums(text: string): { size: number; sum: number } {
  let sum = 0;
  for (let at = 0; at < text.length; at++) sum = (sum + text.charCodeAt(at)) % 65521;
  return { size: text.length, sum };
}

function codeOf(text: string): string {
  return /"code":"([A-Z_]+)"/.exec(text)?.[1] ?? '';
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
