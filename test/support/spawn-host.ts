/** A host as a process of its own, as an operator starts it. */
import { type HostPlace, type HostProcess, hostPlace } from './host-place.ts';

export interface SpawnedHost extends HostProcess {
  readonly fetch: HostPlace['fetch'];
}

/** Starts `plexi serve` in a process group of its own, as a shell does; killed when the test is over. */
export async function spawnHost(files: Readonly<Record<string, string>>): Promise<SpawnedHost> {
  const place = await hostPlace({ modules: files });
  const host = place.launch();
  await host.ready;
  return { ...host, fetch: place.fetch };
}
