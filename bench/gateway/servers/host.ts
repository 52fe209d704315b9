/** (d) The real host over a folder of modules. */
import { startHost } from '../../../runtime/compose.ts';
import { loadHostSettings } from '../../../runtime/config/load-host-settings.ts';
import type { ModuleState } from '../../../runtime/modules/served-module.ts';
import { createLog } from '../../../runtime/observability/log.ts';
import { childOptions, serveParent } from '../../support/child-side.ts';
import { signTokens } from './callers.ts';
import type { ModuleFacts } from './serve-module.ts';
import type { ServerReady } from './server.ts';

export interface HostOptions {
  readonly modules: string;
  readonly data: string;
}

export interface HostReady extends ServerReady {
  readonly facts: readonly ModuleFacts[];
}

/** How many modules are in which state. */
export type StatesAnswer = Partial<Record<ModuleState, number>>;

const { modules, data } = childOptions<HostOptions>();
const { settings } = loadHostSettings({
  flags: { modules, data, host: '127.0.0.1', port: '0', log_level: 'warn' },
  environment: {},
  file: undefined,
});
const log = createLog({ level: settings.log_level, readable: false, destination: process.stderr });
const host = await startHost({ settings, environment: {}, log });
await host.loaded;

const ready: HostReady = {
  url: host.url,
  tokens: await signTokens(host.secret),
  facts: host.registry
    .list()
    .map(({ name, version, prefix, manifest, declaration }) => ({ name, version, prefix, manifest, declaration })),
};
serveParent({ ready, answer, close: () => host.close() });

function answer(question: unknown): StatesAnswer | undefined {
  if (question === 'collect') {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    return undefined;
  }
  const states: StatesAnswer = {};
  for (const { state } of host.registry.list()) states[state] = (states[state] ?? 0) + 1;
  return states;
}
