/** The real gateway over a module that runs wherever `invoke` says. Policies, limits and plans are those of the host. */
import { randomBytes } from 'node:crypto';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { loadHostSettings } from '../../../runtime/config/load-host-settings.ts';
import { createGateway } from '../../../runtime/gateway/app.ts';
import { serveGateway } from '../../../runtime/gateway/serve.ts';
import type { ModuleDirectory, ServedModule } from '../../../runtime/modules/served-module.ts';
import { signTokens } from './callers.ts';
import type { ServerReady } from './server.ts';

/** What the gateway knows of the hot module, as the real host knows it. */
export type ModuleFacts = Pick<ServedModule, 'name' | 'version' | 'prefix' | 'manifest' | 'declaration'>;

const MB = 1024 * 1024;

export async function serveModule(facts: ModuleFacts, invoke: ServedModule['invoke']): Promise<ServerReady> {
  const { settings } = loadHostSettings({ flags: {}, environment: {}, file: undefined });
  const secret = randomBytes(32);
  const gateway = createGateway({
    directory: directoryOf({
      ...facts,
      state: 'running',
      reasons: [],
      invoke,
      runTask: refuse,
      runEvent: refuse,
      callMethod: refuse,
      underWay: 0,
    }),
    auth: { secret },
    limits: {
      bodyBytes: settings.limits.body_mb * MB,
      uploadBytes: settings.limits.upload_mb * MB,
      maxTimeoutMs: settings.limits.max_timeout_seconds * 1000,
      maxInflight: settings.limits.max_inflight,
    },
    ready: () => ({ ready: true, detail: '' }),
    // As the host listens, so that its measurements cost the same here.
    onAnswer: ({ error, status }) => {
      if (status >= 500) throw new Error(`answered ${status}`, { cause: error });
    },
  });
  const { url } = await serveGateway(gateway, { host: '127.0.0.1', port: 0 });
  return { url, tokens: await signTokens(secret) };
}

function refuse(): Promise<never> {
  return Promise.reject(new PlexiError('MODULE_UNAVAILABLE', 'This module has endpoints only.'));
}

function directoryOf(module: ServedModule): ModuleDirectory {
  return {
    revision: 1,
    find: (path) => (path.startsWith(`${module.prefix}/`) ? module : undefined),
    list: () => [module],
  };
}
