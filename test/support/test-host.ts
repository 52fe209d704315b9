/** A real host on a free port, with modules from test/fixtures/served or written for one test. */
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tier } from '@plexichat/sdk/protocol/declaration';
import { type Host, startHost } from '../../runtime/compose.ts';
import { loadHostSettings } from '../../runtime/config/load-host-settings.ts';
import { createLog } from '../../runtime/observability/log.ts';
import { signToken } from '../../runtime/policy/sign-token.ts';
import { layDownDatabase } from './embedded-folder.ts';
import type { SharedCache } from './shared-cache.ts';

export interface TestHostOptions {
  /** Folders of test/fixtures/served. */
  readonly fixtures?: readonly string[];
  /** Module folders written for this test: path → text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Settings by dotted key, as flags give them. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** plexi.yaml */
  readonly config?: string;
  /** Its embedded queue is as after a first start, which takes seconds. */
  readonly hasQueue?: boolean;
  /** What earlier hosts of this file built and learnt is still there. */
  readonly cache?: SharedCache;
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly module?: string;
  readonly [field: string]: unknown;
}

export interface TestHost {
  readonly host: Host;
  readonly url: string;
  readonly data: string;
  readonly lines: readonly LogLine[];
  token(claims?: { sub?: string; tier?: Tier; permissions?: readonly string[] }): Promise<string>;
  /** A request with a token of the basic tier, unless `token` is null or another one. */
  fetch(path: string, init?: RequestInit & { token?: string | null }): Promise<Response>;
  close(): Promise<void>;
}

export async function startTestHost(options: TestHostOptions = {}): Promise<TestHost> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'plexi-host-')));
  const modules = join(folder, 'modules');
  mkdirSync(modules);
  for (const fixture of options.fixtures ?? []) {
    cpSync(fileURLToPath(new URL(`../fixtures/served/${fixture}`, import.meta.url)), join(modules, fixture), {
      recursive: true,
    });
  }
  for (const [path, text] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(modules, path)), { recursive: true });
    writeFileSync(join(modules, path), text);
  }
  const config = join(folder, 'plexi.yaml');
  writeFileSync(config, options.config ?? '{}');
  const data = join(folder, 'data');
  if (options.hasQueue) await layDownDatabase(join(data, 'queue'));
  options.cache?.moveInto(data);
  const { settings } = loadHostSettings({
    flags: { modules, data, port: '0', ...options.settings },
    environment: {},
    file: config,
  });
  const lines: LogLine[] = [];
  const log = createLog({
    level: 'debug',
    readable: false,
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const host = await startHost({ settings, environment: options.environment ?? {}, log });
  await host.loaded;
  const issued = { issuer: settings.auth.issuer, audience: settings.auth.audience };
  const token: TestHost['token'] = ({ sub = 'alice', tier = 'basic', permissions = ['read'] } = {}) =>
    signToken(host.secret, { sub, tier, permissions, lifetime: 600, ...issued });
  const usual = await token();
  return {
    host,
    url: host.url,
    data,
    lines,
    token,
    fetch(path, { token: given = usual, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (given !== null) headers.set('authorization', `Bearer ${given}`);
      return fetch(host.url + path, { ...init, headers });
    },
    async close() {
      await host.close();
      options.cache?.takeFrom(data);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
