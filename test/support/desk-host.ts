/** A host that has a fake desk and nothing else, announced in its data folder as `plexi serve` does it. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeHostFile } from '../../runtime/cli/host-file.ts';
import { serveGateway } from '../../runtime/gateway/serve.ts';
import { mountManagement } from '../../runtime/management/mount.ts';
import { openDataFolder } from '../../runtime/state/data-folder.ts';
import { type FakeDesk, fakeDesk } from './fake-desk.ts';
import { fakeGateway } from './fake-modules.ts';
import { tempFolder } from './temp-folder.ts';

export interface DeskHost {
  readonly desk: FakeDesk;
  readonly data: string;
  readonly url: string;
}

export async function deskHost(auth: { issuer?: string } = {}): Promise<DeskHost> {
  const desk = fakeDesk();
  const data = join(tempFolder(), 'data');
  const { secret } = await openDataFolder(data);
  const gateway = fakeGateway([], {
    auth: { secret, ...auth },
    mount: (platform, tools) => mountManagement(platform, tools, { tasks: desk, audit: () => {} }),
  });
  const server = await serveGateway(gateway, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  await writeHostFile(data, server.url);
  return { desk, data, url: server.url };
}
