/** One cell with a culprit and three innocents in it, one of which boots with the host; and a module that sleeps. */
import type { Instance } from '../../runtime/cells/instance.ts';
import { HostedModule } from '../../runtime/modules/hosted-module.ts';
import { askAbuse } from './ask-abuse.ts';
import { startTestHost, type TestHost } from './test-host.ts';
import { until } from './until.ts';

const INNOCENT = ['anna', 'berta', 'clara'] as const;

export class CrashScene {
  readonly at: TestHost;
  readonly innocent = INNOCENT;

  private constructor(at: TestHost) {
    this.at = at;
  }

  /** @param routes of the culprit, for setupRoutes @param members more of its class */
  static async open({ routes = '', members = '' }: { routes?: string; members?: string }): Promise<CrashScene> {
    const files = {
      ...moduleFiles('culprit', routes, members),
      ...Object.assign({}, ...[...INNOCENT, 'asleep'].map((name) => moduleFiles(name))),
    };
    return new CrashScene(await startTestHost({ files, settings: { cells: '1' } }));
  }

  close(): Promise<void> {
    return this.at.close();
  }

  module(name: string): HostedModule {
    const found = this.at.host.registry.list().find((candidate) => candidate.name === name);
    if (!(found instanceof HostedModule)) throw new Error(`${name} is not hosted: ${found?.reasons.join()}`);
    return found;
  }

  /** Brings everybody but the sleeper into the one cell. @throws Error when they are not all there */
  async wakeAll(): Promise<void> {
    for (const name of ['culprit', ...INNOCENT]) {
      const answer = await this.ask(name);
      if (answer !== '200') throw new Error(`${name} does not work to begin with: ${answer}`);
    }
    if (this.at.host.cells.processIds.length !== 1) throw new Error('They do not share a cell.');
  }

  /** `200`, or `STATUS CODE`, with ` retry` when it says when to come back. */
  async ask(name: string, path = 'ok', method = 'GET'): Promise<string> {
    const { answer, headers } = await askAbuse(this.at.url, { path: `/api/v1/${name}/${path}`, method });
    return headers?.has('retry-after') ? `${answer} retry` : answer;
  }

  async fallAsleep(name: string): Promise<void> {
    const module = this.module(name);
    // It is not idle before its last answer has been counted.
    await until(() => module.state === 'running' && [...module.instances].every(({ busy }) => busy === 0));
    await module.sleepIfIdle(Number.MAX_SAFE_INTEGER);
  }

  /** Who lives in the same cell. */
  companyOf(name: string): readonly string[] {
    const cellsOf = (one: string) => [...this.module(one).instances].map(({ cell }) => cell);
    const own = cellsOf(name);
    const others = ['culprit', 'asleep', ...INNOCENT].filter((other) => other !== name);
    return others.filter((other) => cellsOf(other).some((cell) => own.includes(cell)));
  }

  /** The threads of the innocents. */
  instances(): readonly Instance[] {
    return INNOCENT.flatMap((name) => [...this.module(name).instances]);
  }

  /** How often `/slow` of a module has begun. */
  ran(name: string): number {
    return this.at.lines.filter(({ module, msg }) => module === name && msg === 'slow').length;
  }

  /** What these modules crashed of, where it counted against them. */
  chargedFor(...names: readonly string[]): readonly string[] {
    return this.at.lines
      .filter(({ module = '', msg }) => names.includes(module) && (msg === 'crashed' || msg === 'parked'))
      .flatMap(({ reasons }) => reasons as string[])
      .filter((reason) => !reason.startsWith('its cell died with it'));
  }
}

function moduleFiles(name: string, routes = '', members = ''): Record<string, string> {
  return {
    [`${name}/config.yaml`]: `module_name: ${name}
module_version: 1.0.0
auto_load: ${name === 'anna'}
security: { require_authentication: false, rate_limiting: false }
runtime: { timeout: 20 }
`,
    [`${name}/module.js`]: `import { BaseModule } from '@plexichat/sdk';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export default class Actor extends BaseModule {
  setupRoutes() {
    const slow = async () => { this.logger.info('slow'); await wait(1_500); return {}; };
    this.router.get('/ok', () => ({ ok: true }));
    this.router.get('/slow', slow);
    this.router.post('/slow', slow);
    ${routes}
  }
  ${members}
}
`,
  };
}
