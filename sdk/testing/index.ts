/** Tests of a module without a host: `createModuleHarness(Module)`. */

export type { Fakes } from './fake-host.ts';
export type { EnqueuedTask, FakeEnqueue } from './fake-tasks.ts';
export {
  createModuleHarness,
  type HarnessAnswer,
  type HarnessOptions,
  type HarnessRequest,
  type ModuleHarness,
} from './harness.ts';
export type { HarnessProgress, HarnessRun, HarnessTask } from './run-task.ts';
