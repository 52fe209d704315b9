/** Runs as a process of its own: asks one URL over many connections, and tells how fast the answers came. */
import autocannon from 'autocannon';
import { serveParent } from './child-side.ts';
import { percentile } from './statistics.ts';

export interface LoadOrder {
  readonly url: string;
  /** Dealt out to the connections in turn: each is a caller of its own. */
  readonly tokens: readonly string[];
  readonly connections: number;
  /** Measured; before that come RAMP_MS that are not. */
  readonly seconds: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Share of one core that this process used: near 1, and it measured itself. */
  readonly generatorBusy: number;
}

const RAMP_MS = 250;
const SAMPLE_MS = 50;
/** For the answers that are under way when the time is over. */
const LAST_ANSWERS_S = 10;
/** The gateway closes a connection after 10,000; autocannon would go on and be told 503. */
const REQUESTS_PER_CONNECTION = 9_000;

export async function load({ url, tokens, connections, seconds }: LoadOrder): Promise<LoadResult> {
  const clients: autocannon.Client[] = [];
  const times: number[] = [];
  const from = performance.now() + RAMP_MS;
  const to = from + seconds * 1000;
  const finished = Promise.withResolvers<void>();
  const run = autocannon(
    {
      url,
      connections,
      duration: RAMP_MS / 1000 + seconds + LAST_ANSWERS_S,
      sampleInt: SAMPLE_MS,
      reconnectRate: REQUESTS_PER_CONNECTION,
      setupClient: (client) => {
        client.setHeaders({ authorization: `Bearer ${tokens[clients.length % tokens.length]}` });
        clients.push(client);
      },
    },
    (error) => (error ? finished.reject(error) : finished.resolve()),
  );
  let problem = '';
  run.on('response', (_client, status, _bytes, milliseconds) => {
    if (status !== 200) problem = `an answer of status ${status}`;
    const now = performance.now();
    if (now >= from && now < to) times.push(milliseconds);
  });
  run.on('reqError', (error) => {
    problem = error.message;
  });
  const generatorBusy = measureCpu(from, to);
  setTimeout(() => clients.forEach(endAfterAnswer), to - performance.now());
  await finished.promise;
  if (problem !== '' || times.length === 0) {
    throw new Error(`${url} at ${connections} connections: ${problem || 'no answer'}`);
  }
  times.sort((a, b) => a - b);
  return {
    requestsPerSecond: times.length / seconds,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    generatorBusy: await generatorBusy,
  };
}

/**
 * Autocannon itself cuts its connections when the time is over. A server then has requests to give up, and whoever is
 * measured next pays for it; so each connection ends after an answer.
 */
function endAfterAnswer(client: autocannon.Client): void {
  Object.assign(client, { responseMax: 1 });
}

async function measureCpu(from: number, to: number): Promise<number> {
  const until = (time: number) => new Promise((resolve) => setTimeout(resolve, time - performance.now()));
  await until(from);
  const start = process.cpuUsage();
  await until(to);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / ((to - from) * 1000);
}

serveParent({ ready: true, answer: (order) => load(order as LoadOrder) });
