/** What the kernel, or a test harness, gives the sdk. The only way from the sdk to anything outside the module. */
import type { ByteSource } from '../protocol/body-streams.ts';
import type { LogLevel } from '../protocol/capabilities/log.ts';

export type { ByteSource, LogLevel };

export interface HostBinding {
  /** Rejects with an Error whose `code` is one of sdk/protocol/errors.ts. */
  call(capability: string, method: string, args: readonly unknown[]): Promise<unknown>;
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Opens a body that the host sends. */
  readStream(id: number): ByteSource;
  /** Sends a body to the host and gives the number that names it there. */
  writeStream(source: ByteSource): number;
  /** Where the words of a run of a task go. */
  reportTask(jobId: string): TaskReport;
  setTimeout(callback: () => void, ms: number): number;
  clearTimeout(id: number): void;
  /** Diagnostics: stacks may leave with an outcome. */
  readonly settingsDebug?: boolean;
}

/** Of one run: on its way in batches, of its progress the newest only. Never throws, tells nobody what was lost. */
export interface TaskReport {
  progress(percent: number, note: string | undefined): void;
  log(line: string): void;
  /** Sends what waits; what comes later is dropped. */
  close(): void;
}
