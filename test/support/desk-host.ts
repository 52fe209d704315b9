/** A host that has a fake desk and nothing else, announced in its data folder as `plexi serve` does it. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeHostFile } from '../../runtime/cli/host-file.ts';
import { serveGateway } from '../../runtime/gateway/serve.ts';
import { mountManagement } from '../../runtime/management/mount.ts';
import { openDataFolder } from '../../runtime/state/data-folder.ts';
import { type FakeDesk, fakeDesk } from './fake-desk.ts';
import { fakeGateway } from './fake-modules.ts';
import { type OperatorDesks, type OperatorDesksOptions, operatorDesks } from './operator-desks.ts';
import { tempFolder } from './temp-folder.ts';

export interface DeskHost {
  readonly desk: FakeDesk;
  readonly desks: OperatorDesks;
  readonly data: string;
  readonly url: string;
}

export async function deskHost(auth: { issuer?: string } = {}, options: OperatorDesksOptions = {}): Promise<DeskHost> {
  const desk = fakeDesk();
  const desks = await operatorDesks(options);
  const data = join(tempFolder(), 'data');
  const { secret } = await openDataFolder(data);
  const gateway = fakeGateway([], {
    auth: { secret, ...auth },
    mount: (platform, tools) => mountManagement(platform, tools, { ...desks, tasks: desk, audit: () => {} }),
  });
  const server = await serveGateway(gateway, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  await writeHostFile(data, server.url);
  return { desk, desks, data, url: server.url };
}
