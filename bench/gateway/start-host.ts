/** Starts the real host over freshly written modules. */
import { join } from 'node:path';
import { type Child, startChild } from '../support/children.ts';
import { type ModuleFolderOptions, writeModules } from './module-folder.ts';
import type { HostOptions, HostReady } from './servers/host.ts';

export type HostChild = Child<HostReady>;

const program = new URL('./servers/host.ts', import.meta.url);

/**
 * @param folder one per host, or an earlier one: then the host finds what it learnt and compiled before, as after any
 *   restart
 */
export async function startBenchHost(
  folder: string,
  modules: ModuleFolderOptions,
  flags: readonly string[] = [],
): Promise<HostChild> {
  const options: HostOptions = {
    modules: writeModules(join(folder, 'modules'), modules),
    data: join(folder, 'data'),
  };
  return startChild<HostReady>(program, options, flags);
}

/** A host that has run once over these modules and was stopped: what is measured afterwards is not the first start. */
export async function primeHost(folder: string, modules: ModuleFolderOptions): Promise<void> {
  const host = await startBenchHost(folder, modules);
  await host.stop();
}
