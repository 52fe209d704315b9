/** The real host over one module that calls its storage. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startHost } from '../../../runtime/compose.ts';
import { loadHostSettings } from '../../../runtime/config/load-host-settings.ts';
import { createLog } from '../../../runtime/observability/log.ts';
import { childOptions, serveParent } from '../../support/child-side.ts';
import { type CallQuestion, KEY, VALUE } from '../call-question.ts';

const { folder } = childOptions<{ folder: string }>();
const modules = join(folder, 'modules');
mkdirSync(join(modules, 'caller'), { recursive: true });
writeFileSync(
  join(modules, 'caller', 'config.yaml'),
  `module_name: caller
module_version: 1.0.0
auto_load: true
security: { require_authentication: false, rate_limiting: false }
runtime: { timeout: 60, idle_timeout: 86400 }
`,
);
writeFileSync(
  join(modules, 'caller', 'module.ts'),
  `import { BaseModule } from '@plexichat/sdk';

const KEY = ${JSON.stringify(KEY)};
const VALUE = ${JSON.stringify(VALUE)};

export default class Caller extends BaseModule {
  setupRoutes() {
    this.router.get('/run/:what/:calls/:inFlight', ({ params }) => this.#run(params.what, +params.calls, +params.inFlight));
  }

  async initialize() {
    await this.storage.set(KEY, VALUE);
    await this.cache.set(KEY, VALUE, { ttl: 86400 });
  }

  async #run(what, calls, inFlight) {
    let left = calls;
    const call = {
      get: () => this.storage.get(KEY),
      set: () => this.storage.set(KEY, VALUE),
      cache: () => this.cache.get(KEY),
    }[what];
    const lane = async () => {
      while (left-- > 0) await call();
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return { done: calls };
  }
}
`,
);
const { settings } = loadHostSettings({
  flags: {
    modules,
    data: join(folder, 'data'),
    port: '0',
    log_level: 'warn',
    'limits.calls_per_second': '1000000',
    'limits.bridge_mb_per_second': '1024',
  },
  environment: {},
  file: undefined,
});
const log = createLog({ level: settings.log_level, readable: false, destination: process.stderr });
const host = await startHost({ settings, environment: {}, log });
await host.loaded;
serveParent({ ready: true, answer: (question) => answer(question as CallQuestion), close: () => host.close() });

/** Milliseconds. */
async function answer({ what, calls, inFlight }: CallQuestion): Promise<number> {
  const start = performance.now();
  const response = await fetch(`${host.url}/api/v1/caller/run/${what}/${calls}/${inFlight}`);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return performance.now() - start;
}
