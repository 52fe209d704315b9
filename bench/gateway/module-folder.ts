/** Writes the folders of modules that the real host serves: one that is asked all the time, and small ones that sleep. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const HOT_MODULE = 'hot';
/** With the query parameter that the pipeline has to convert and check. */
export const STATUS_PATH = '/status?page=3';

export interface ModuleFolderOptions {
  /** Booted at start; no limit gets in the way of the load generator. */
  readonly hot: boolean;
  /** Small modules that boot when they are asked. */
  readonly sleeping: number;
}

export function writeModules(folder: string, { hot, sleeping }: ModuleFolderOptions): string {
  if (hot) writeModule(folder, HOT_MODULE, true);
  for (let number = 0; number < sleeping; number++) writeModule(folder, sleeperName(number), false);
  mkdirSync(folder, { recursive: true });
  return folder;
}

export function sleeperName(number: number): string {
  return `sleeper_${String(number).padStart(3, '0')}`;
}

export function statusPath(module: string): string {
  return `/api/v1/${module}${STATUS_PATH}`;
}

function writeModule(folder: string, name: string, autoLoad: boolean): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'config.yaml'), config(name, autoLoad));
  writeFileSync(join(folder, name, 'module.ts'), source(name));
}

function config(name: string, autoLoad: boolean): string {
  return `module_name: ${name}
module_version: 1.0.0
module_description: Answers its status
auto_load: ${autoLoad}
api:
  rate_limit: 1000000
tasks:
  enabled: false
runtime:
  idle_timeout: 86400
`;
}

/** The /status of examples/example_module. The name makes each bundle differ, as those of different authors do. */
function source(name: string): string {
  return `import { BaseModule, moduleEndpoint, Type } from '@plexichat/sdk';

export default class StatusModule extends BaseModule {
  #actions = 0;

  @moduleEndpoint('GET /status', {
    permissions: ['read'],
    query: Type.Object({ page: Type.Integer({ minimum: 1, maximum: 1000 }) }),
    summary: 'Status of ${name}',
  })
  getStatus() {
    return { status: 'active', version: this.config.moduleVersion, actions: this.#actions };
  }
}
`;
}
