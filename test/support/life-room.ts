/** An operator of a real host, who installs, grants, upgrades and removes modules over HTTP. */
import { type PackedModule, packModule } from './packages.ts';
import { startTestHost, type TestHost, type TestHostOptions } from './test-host.ts';

export interface LifeView {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly reasons: readonly string[];
  readonly outcome?: string;
  readonly permissions: { readonly waits_for: readonly string[] };
}

export interface LifeAnswer {
  readonly status: number;
  readonly body: LifeView & { code?: string; detail?: string; errors?: readonly { message: string }[] };
}

export interface LifeRoom {
  readonly host: TestHost;
  ask(method: string, path: string, body?: object): Promise<LifeAnswer>;
  install(pack: PackedModule): Promise<LifeAnswer>;
  send(bytes: Uint8Array): Promise<LifeAnswer>;
  grant(permissions: readonly string[], name?: string): Promise<LifeAnswer>;
  view(name?: string): Promise<LifeView>;
  /** Of the module that answers. */
  served(name?: string): Promise<string | number>;
  close(): Promise<void>;
}

export async function openLifeRoom(options: TestHostOptions = {}): Promise<LifeRoom> {
  const host = await startTestHost(options);
  const token = await host.token({ sub: 'olga', permissions: ['modules:manage'] });
  const read = async (response: Response): Promise<LifeAnswer> => {
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) } as LifeAnswer;
  };
  const ask: LifeRoom['ask'] = async (method, path, body) =>
    read(
      await host.fetch(`/api/v1/modules${path}`, {
        method,
        token,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
    );
  const send: LifeRoom['send'] = async (bytes) =>
    read(
      await host.fetch('/api/v1/modules', {
        method: 'POST',
        token,
        body: Buffer.from(bytes),
        headers: { 'content-type': 'application/zip' },
      }),
    );
  return {
    host,
    ask,
    send,
    install: (pack) => send(packModule(pack)),
    grant: (permissions, name = 'demo') => ask('POST', `/${name}/grant`, { permissions }),
    view: async (name = 'demo') => (await ask('GET', `/${name}`)).body,
    async served(name = 'demo') {
      const response = await host.fetch(`/api/v1/${name}/version`, { token: null });
      const { version } = (await response.json()) as { version?: string };
      return version ?? response.status;
    },
    close: () => host.close(),
  };
}
