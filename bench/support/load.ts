/** Runs as a process of its own: asks one URL over many connections, and tells how fast the answers came. */
import autocannon from 'autocannon';
import { childOptions, serveParent } from './child-side.ts';
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

const RAMP_MS = 300;
const SAMPLE_MS = 100;
/** The gateway closes a connection after 10,000; autocannon would go on and be told 503. */
const REQUESTS_PER_CONNECTION = 9_000;

export async function load({ url, tokens, connections, seconds }: LoadOrder): Promise<LoadResult> {
  const times: number[] = [];
  let next = 0;
  const setupClient = (client: autocannon.Client): void => {
    client.setHeaders({ authorization: `Bearer ${tokens[next++ % tokens.length]}` });
  };
  const from = performance.now() + RAMP_MS;
  const to = from + seconds * 1000;
  let cpu = process.cpuUsage();
  const finished = Promise.withResolvers<void>();
  const run = autocannon(
    {
      url,
      connections,
      duration: (RAMP_MS + SAMPLE_MS) / 1000 + seconds,
      sampleInt: SAMPLE_MS,
      reconnectRate: REQUESTS_PER_CONNECTION,
      setupClient,
    },
    (error) => (error ? finished.reject(error) : finished.resolve()),
  );
  const ramp = setTimeout(() => {
    cpu = process.cpuUsage();
  }, RAMP_MS);
  const end = setTimeout(
    () => {
      cpu = process.cpuUsage(cpu);
    },
    RAMP_MS + seconds * 1000,
  );
  let wrong = '';
  run.on('response', (_client, status, _bytes, milliseconds) => {
    if (status !== 200) wrong = `an answer of status ${status}`;
    const now = performance.now();
    if (now >= from && now < to) times.push(milliseconds);
  });
  run.on('reqError', (error) => {
    wrong = error.message;
  });
  await finished.promise;
  clearTimeout(ramp);
  clearTimeout(end);
  if (wrong !== '' || times.length === 0)
    throw new Error(`${url} at ${connections} connections: ${wrong || 'no answer'}`);
  times.sort((a, b) => a - b);
  return {
    requestsPerSecond: times.length / seconds,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    generatorBusy: (cpu.user + cpu.system) / (seconds * 1e6),
  };
}

childOptions();
serveParent({ ready: true, answer: (order) => load(order as LoadOrder) });
