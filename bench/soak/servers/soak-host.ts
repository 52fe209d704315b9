/** The host that is soaked, as a process of its own. */
import { createWriteStream } from 'node:fs';
import { startHost } from '../../../runtime/compose.ts';
import { loadHostSettings } from '../../../runtime/config/load-host-settings.ts';
import { HostedModule } from '../../../runtime/modules/hosted-module.ts';
import { createLog } from '../../../runtime/observability/log.ts';
import { signToken } from '../../../runtime/policy/sign-token.ts';
import { childOptions, serveParent } from '../../support/child-side.ts';
import { TASK } from '../good-modules.ts';

export interface SoakHostOptions {
  readonly modules: string;
  readonly data: string;
  readonly log: string;
  /** By dotted key, as flags give them. */
  readonly settings: Readonly<Record<string, string>>;
  readonly users: readonly string[];
}

export interface SoakHostReady {
  readonly url: string;
  readonly tokens: Readonly<Record<string, string>>;
}

export interface ModuleReport {
  readonly name: string;
  readonly state: string;
  readonly reasons: readonly string[];
}

export interface RunsReport {
  readonly completed: number;
  readonly failed: readonly string[];
  /** Completed with the result of another module. */
  readonly wrong: readonly string[];
}

/** `memory` collects first, so that what it tells is needed. */
export type SoakQuestion = 'modules' | 'cells' | 'memory' | { readonly runsOf: string } | { readonly stop: string };

const { modules, data, log: logFile, settings: flags, users } = childOptions<SoakHostOptions>();
const { settings } = loadHostSettings({
  flags: { modules, data, host: '127.0.0.1', port: '0', log_level: 'info', ...flags },
  environment: {},
  file: undefined,
});
const log = createLog({ level: settings.log_level, readable: false, destination: createWriteStream(logFile) });
const host = await startHost({ settings, environment: {}, log });
await host.loaded;

const LIFETIME_S = 24 * 60 * 60;
const tokens: Record<string, string> = {};
for (const sub of users) {
  tokens[sub] = await signToken(host.secret, {
    sub,
    tier: 'basic',
    permissions: ['read', 'write'],
    lifetime: LIFETIME_S,
  });
}
serveParent({
  ready: { url: host.url, tokens } satisfies SoakHostReady,
  answer: (question) => answer(question as SoakQuestion),
  close: () => host.close(),
});

const MAX_RUNS = 200;

async function answer(question: SoakQuestion): Promise<unknown> {
  if (question === 'modules') return host.registry.list().map(({ name, state, reasons }) => ({ name, state, reasons }));
  if (question === 'cells') return host.cells.processIds;
  if (question === 'memory') {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    return process.memoryUsage();
  }
  if ('runsOf' in question) return readRuns(question.runsOf);
  const module = host.registry.list().find(({ name }) => name === question.stop);
  if (module instanceof HostedModule) await module.stop(0);
  return undefined;
}

async function readRuns(module: string): Promise<RunsReport> {
  const runs = await host.tasks.runs(module, TASK, MAX_RUNS);
  const completed = runs.filter(({ state, skipped }) => state === 'completed' && skipped === null);
  return {
    completed: completed.length,
    failed: runs.flatMap(({ error }) => (error === null ? [] : [`${module}: ${error.code} ${error.message}`])),
    wrong: completed.flatMap(({ result }) => {
      const who = (result as { who?: unknown } | null)?.who;
      return who === module ? [] : [`${module}: a run with the result ${JSON.stringify(result)}`];
    }),
  };
}
