/**
 * A host full of hostile modules and good neighbours: runs one abuse after the other while steady clients ask the
 * neighbours, and says what became of everybody. `near` lives in the cell of the hostile module, `far` in its own.
 */
import { HostedModule } from '../../runtime/modules/hosted-module.ts';
import { type Abuse, type AbuseUse, SINK } from './abuse.ts';
import { neighbour, startHealthClient, startNeighbourClient } from './abuse-neighbours.ts';
import { type AbuseSink, openSink } from './abuse-sink.ts';
import { askAbuse } from './ask-abuse.ts';
import { p99, type SteadyClient, type Tally } from './steady-client.ts';
import { startTestHost, type TestHost } from './test-host.ts';
import { until } from './until.ts';

export interface AbuseReport {
  /** As in AbuseOutcome.answers. */
  readonly answer: string;
  readonly headers: Headers | undefined;
  /** What operators read when the thread ended; undefined when it lives. */
  readonly reason: string | undefined;
  /** The cell of `near` died of it. */
  readonly tookCell: boolean;
  /** What `GET /ok` was answered until it came to rest, repetitions left out; ` retry` when it said when to come back. */
  readonly next: readonly string[];
  readonly used: AbuseUse;
  readonly near: Witness;
  readonly far: Witness;
  readonly health: Witness;
}

export interface Witness {
  readonly quietP99: number;
  readonly duringP99: number;
  /** Of many answers the p99 hides the few that a short standstill delays. */
  readonly duringSlowest: number;
  readonly answered: number;
  readonly refused: number;
  readonly wrong: readonly string[];
}

type Meters = Pick<AbuseUse, 'calls' | 'bytes' | 'lines'>;

/** One that was a suspect lives alone for a while: another one takes its place then. */
const NEIGHBOURS = 8;
const QUIET_ANSWERS = 24;
const DURING_ANSWERS = 20;
/** A module that was ended may have to wait for its next start. */
const NEXT_MS = 20_000;
const ASK_AGAIN_MS = 50;

export class AbuseRoom {
  readonly at: TestHost;
  readonly #near: string[];
  readonly #sink: AbuseSink;

  private constructor(at: TestHost, near: string[], sink: AbuseSink) {
    this.at = at;
    this.#near = near;
    this.#sink = sink;
  }

  static async open(abuses: readonly Abuse[]): Promise<AbuseRoom> {
    const near = Array.from({ length: NEIGHBOURS }, (_, index) => `near_${index}`);
    const sink = await openSink();
    const hostile = abuses.flatMap(({ files }) => Object.entries(files));
    const files = Object.assign(
      {},
      ...['far', ...near].map(neighbour),
      Object.fromEntries(hostile.map(([path, text]) => [path, text.replaceAll(SINK, `http://${sink.place}`)])),
    );
    const settings = Object.assign({}, ...abuses.map((abuse) => abuse.settings), { cells: '1' });
    const grants = Object.fromEntries(abuses.map(({ module }) => [module, [`http:${sink.place}`]]));
    const config = JSON.stringify({ jit: { full: ['far'] }, egress: { allow_private: [sink.place] }, grants });
    return new AbuseRoom(await startTestHost({ files, settings, config }), near, sink);
  }

  async close(): Promise<void> {
    await this.at.close();
    await this.#sink.close();
  }

  /** @throws Error when the host runs no such module */
  module(name: string): HostedModule {
    const found = this.#find(name);
    if (!(found instanceof HostedModule)) throw new Error(`${name} is not hosted: ${found?.reasons.join()}`);
    return found;
  }

  async run(abuse: Abuse): Promise<AbuseReport> {
    const near = await this.#settleIn(abuse);
    const clients = [near, 'far'].map((name) => startNeighbourClient(this.at.url, name));
    clients.push(startHealthClient(this.at.url));
    try {
      return await this.#watch(abuse, near, clients);
    } finally {
      await Promise.all(clients.map((client) => client.stop()));
      const found = this.#find(abuse.module);
      if (found instanceof HostedModule) await found.stop(0);
    }
  }

  async #watch(abuse: Abuse, near: string, clients: readonly SteadyClient[]): Promise<AbuseReport> {
    const { module, request, outcome } = abuse;
    const cell = this.cellOf(near);
    const from = this.at.lines.length;
    await until(() => clients.every(({ answered }) => answered >= QUIET_ANSWERS));
    const quiet = clients.map((client) => client.take());
    const before = this.#metersOf(module);
    this.#sink.take();
    const answered = await askAbuse(this.at.url, request);
    // One that does not end is the verdict's to judge, who knows the rest of the story.
    if (outcome.thread === 'ends') await until(() => this.#reasonOf(module, from) !== undefined).catch(() => {});
    if (outcome.rests !== undefined) await until(() => this.#find(module)?.state === outcome.rests);
    const next = await this.#comeToRest(abuse);
    await until(() => clients.every((client) => client.isWell && client.answered >= DURING_ANSWERS));
    const witness = (index: number): Witness => compare(quiet[index], clients[index]?.take());
    return {
      ...answered,
      reason: this.#reasonOf(module, from),
      tookCell: this.cellOf(near) !== cell,
      next,
      used: this.#usedBy(module, before, from),
      near: witness(0),
      far: witness(1),
      health: witness(2),
    };
  }

  /** The process that holds a module. */
  cellOf(name: string): number | undefined {
    const [instance] = this.module(name).instances;
    return instance?.cell.processId;
  }

  /** @returns a neighbour that is in the cell of the hostile module, or will be when that module boots */
  async #settleIn({ module, outcome }: Abuse): Promise<string> {
    await this.#wake('far', '/add/1/2');
    if (outcome.next === 'works') await this.#wake(module, '/ok');
    for (;;) {
      const [name] = this.#near;
      if (name === undefined) throw new Error('There is no neighbour left that may share a cell.');
      await this.#wake(name, '/add/1/2');
      if (outcome.next === 'refused' || this.cellOf(name) === this.cellOf(module)) return name;
      this.#near.shift();
    }
  }

  /** A first boot may take longer than a module with a short deadline waits for it. */
  async #wake(name: string, path: string): Promise<void> {
    await until(async () => (await askAbuse(this.at.url, { path: `/api/v1/${name}${path}` })).answer === '200');
  }

  /** Asks for what is legitimate until it is answered, or refused for longer than anybody would wait here. */
  async #comeToRest({ module, outcome }: Abuse): Promise<string[]> {
    const answers: string[] = [];
    const end = Date.now() + NEXT_MS;
    for (;;) {
      const { answer, headers } = await askAbuse(this.at.url, { path: `/api/v1/${module}/ok` });
      const said = headers?.has('retry-after') ? `${answer} retry` : answer;
      if (answers.at(-1) !== said) answers.push(said);
      if (answer === '200' || outcome.next === 'refused' || Date.now() > end) return answers;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }

  /** What the log said of the end of the module's thread; or why the module was never run. */
  #reasonOf(name: string, from: number): string | undefined {
    const line = this.at.lines
      .slice(from)
      .findLast(({ module, msg }) => module === name && (msg === 'crashed' || msg === 'parked'));
    if (line !== undefined) return (line.reasons as string[]).join('; ');
    const found = this.#find(name);
    return found?.state === 'failed' ? found.reasons.join('; ') : undefined;
  }

  #usedBy(name: string, before: Meters, from: number): AbuseUse {
    const { calls, bytes, lines } = this.#metersOf(name);
    return {
      calls: calls - before.calls,
      bytes: bytes - before.bytes,
      lines: lines - before.lines,
      logged: this.at.lines.slice(from).filter(({ module }) => module === name).length,
      ...this.#sink.take(),
    };
  }

  /** One that was never run has used nothing. */
  #metersOf(name: string): Meters {
    const found = this.#find(name);
    return found instanceof HostedModule ? found.usage : { calls: 0, bytes: 0, lines: 0 };
  }

  #find(name: string) {
    return this.at.host.registry.list().find((module) => module.name === name);
  }
}

function compare(quiet: Tally | undefined, during: Tally | undefined): Witness {
  if (quiet === undefined || during === undefined) throw new Error('A client is missing.');
  return {
    quietP99: p99(quiet),
    duringP99: p99(during),
    duringSlowest: Math.max(...during.latenciesMs),
    answered: during.latenciesMs.length,
    refused: during.refused,
    wrong: [...quiet.wrong, ...during.wrong],
  };
}
