/** What operators may see of tasks and do to them; the management API, the command line and the console speak this. */
import type { Queue } from 'bullmq';

export type RunState = 'waiting' | 'delayed' | 'active' | 'completed' | 'failed';
export type RunOrigin = 'schedule' | 'module' | 'operator';

/** As it goes over the wire: snake case, ISO 8601 times in UTC, milliseconds. */
export interface RunView {
  readonly id: string;
  readonly state: RunState;
  readonly origin: RunOrigin;
  readonly slot: string | null;
  /** The attempt that runs or ran last; 0 before the first. */
  readonly attempt: number;
  /** How many attempts it has at most. */
  readonly attempts: number;
  /** How often its thread, its cell or its host went away under it. */
  readonly interruptions: number;
  readonly created_at: string | null;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  /** For a delayed run: when it is due. */
  readonly due_at: string | null;
  readonly progress: number | null;
  readonly note: string | null;
  readonly result: unknown;
  /** Why it was left out although its time had come: `overlap`, `paused`, or `superseded` by the next one. */
  readonly skipped: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly logs: readonly string[];
}

export interface TaskView {
  readonly module: string;
  readonly task: string;
  /** `scheduled`, `paused`, `on_demand` (no schedule), `idle` (its module is not served now), or `unknown`: the queue is away. */
  readonly state: 'scheduled' | 'paused' | 'on_demand' | 'idle' | 'unknown';
  readonly schedule: string | null;
  readonly timezone: string | null;
  readonly next_at: string | null;
  /** `at` is null when the queue keeps no time of it. */
  readonly paused: { readonly by: 'operator' | 'failures'; readonly reason: string; readonly at: string | null } | null;
  /** Scheduled runs that failed since the last one that did not. */
  readonly failures_in_a_row: number;
  readonly timeout_seconds: number;
  readonly retry_count: number;
  readonly priority: string;
  readonly overlap: string;
  readonly missed: string;
}

export interface QueueDepth {
  readonly module: string;
  readonly state: RunState;
  readonly count: number;
}

export interface TaskDesk {
  /** Every task of every module of this host, by module and name. Answers without the queue when no task needs one. */
  list(): Promise<readonly TaskView[]>;
  /** Newest first. @throws PlexiError NOT_FOUND that lists the tasks there are, QUEUE_UNAVAILABLE */
  runs(module: string, task: string, limit: number): Promise<readonly RunView[]>;
  /** Runs it once, now; works for a paused task too. @throws PlexiError NOT_FOUND, INVALID_INPUT, QUEUE_UNAVAILABLE */
  run(module: string, task: string, data: unknown, operator: string): Promise<{ readonly id: string }>;
  /** Stops the schedule, not runs that were asked for. @throws PlexiError NOT_FOUND, QUEUE_UNAVAILABLE */
  pause(module: string, task: string, operator: string, reason: string): Promise<TaskView>;
  /** Starts the schedule again, and the queue, if it was paused on the board. */
  resume(module: string, task: string, operator: string): Promise<TaskView>;
  /** @throws PlexiError QUEUE_UNAVAILABLE when there are tasks and their queue cannot be asked */
  depths(): Promise<readonly QueueDepth[]>;
  /** Of the modules that have tasks; for bull-board. Empty while no queue was needed. */
  queues(): readonly Queue[];
  /** Called whenever `queues` has changed. */
  onQueues(listener: () => void): void;
}

/** What happened to runs, for metrics. */
export interface TaskMeter {
  started(module: string, task: string, waitMs: number): void;
  ended(module: string, task: string, outcome: TaskEnd, runMs: number): void;
}

/** `retry`: this attempt failed and another follows; `interrupted`: its thread, cell or host went away under it. */
export type TaskEnd = 'completed' | 'failed' | 'retry' | 'timeout' | 'interrupted' | 'skipped';
