/** Writes the folders of modules with tasks: one that is given jobs, and ones whose schedules are far away. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const WORK_MODULE = 'work';
export const WORK_TASK = 'greet';

/** The same in our queue and in the raw one. */
export const PAYLOAD = { user: 'user-4711', subject: 'Welcome to the chat', tries: 3 };

export interface TaskModules {
  /** One that takes whatever it is given. */
  readonly work: boolean;
  /** So many modules with so many schedules each, none of which is due. */
  readonly modules: number;
  readonly schedules: number;
}

export function writeTaskModules(folder: string, { work, modules, schedules }: TaskModules): string {
  mkdirSync(folder, { recursive: true });
  if (work) writeModule(folder, WORK_MODULE, true, WORK_SOURCE);
  for (let number = 0; number < modules; number++) {
    writeModule(folder, `idle_${String(number).padStart(3, '0')}`, false, scheduledSource(schedules));
  }
  return folder;
}

function writeModule(folder: string, name: string, autoLoad: boolean, source: string): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'config.yaml'), config(name, autoLoad));
  writeFileSync(join(folder, name, 'module.ts'), source);
}

function config(name: string, autoLoad: boolean): string {
  return `module_name: ${name}
module_version: 1.0.0
module_description: Has tasks
auto_load: ${autoLoad}
runtime:
  idle_timeout: 86400
`;
}

const WORK_SOURCE = `import { BaseModule, moduleTask } from '@plexichat/sdk';

export default class WorkModule extends BaseModule {
  @moduleTask({ schedule: false, retryCount: 3 })
  ${WORK_TASK}({ job }) {
    return { greeted: job.data.user };
  }
}
`;

/** Once a year, each at another minute. */
function scheduledSource(schedules: number): string {
  const tasks = Array.from(
    { length: schedules },
    (_, number) => `  @moduleTask({ schedule: '${number % 60} 4 29 2 *' })
  tidy${number}() {}
`,
  );
  return `import { BaseModule, moduleTask } from '@plexichat/sdk';

export default class IdleModule extends BaseModule {
${tasks.join('\n')}}
`;
}
