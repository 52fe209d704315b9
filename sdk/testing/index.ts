/** Tests of a module without a host: `createModuleHarness(Module)`. */

export type { HarnessCaller } from './call-method.ts';
export type { HarnessEvent, HarnessEventOptions } from './emit-event.ts';
export type { PassedBreakpoint } from './fake-debug.ts';
export type { EmittedEvent } from './fake-events.ts';
export { createFakeFiles, type FakeFile, type FakeFiles, type FakeFilesOptions } from './fake-files.ts';
export type { Fakes } from './fake-host.ts';
export type { FakeModules } from './fake-modules.ts';
export type { SentNotification } from './fake-notifications.ts';
export type { LoggedSecurityEvent } from './fake-security-log.ts';
export type { EnqueuedTask, FakeEnqueue } from './fake-tasks.ts';
export {
  createModuleHarness,
  type HarnessAnswer,
  type HarnessOptions,
  type HarnessRequest,
  type ModuleHarness,
} from './harness.ts';
export type { HarnessProgress, HarnessRun, HarnessTask } from './run-task.ts';
