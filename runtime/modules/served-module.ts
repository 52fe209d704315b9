/** What the other rooms may know of a module. The registry makes these; gateway, policy and invocation read them. */
import type { Declaration, EndpointDeclaration } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Caller, EndpointRequest, HeaderPair } from '@plexichat/sdk/protocol/invocation';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';

export const MODULE_STATES = [
  'installed',
  'starting',
  'running',
  'draining',
  'stopped',
  'sleeping',
  'crashed',
  'parked',
  'disabled',
  'upgrade_pending',
  'failed',
] as const;
export type ModuleState = (typeof MODULE_STATES)[number];

/** A body inside the host: nothing, text, or bytes that arrive in pieces. */
export type Body =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'stream'; readonly stream: ReadableStream<Uint8Array> };

/** A module's answer whose shape was checked; status, headers and body are still the module's words, not ours. */
export interface ModuleAnswer {
  readonly status: number;
  readonly headers: readonly HeaderPair[];
  readonly body: Body;
}

/** A module's own refusal: its status and its words; its headers are still to be checked by policy. */
export class ModuleHttpError extends PlexiError {
  readonly moduleHeaders: readonly HeaderPair[];

  constructor(message: string, status: number, moduleHeaders: readonly HeaderPair[]) {
    super('MODULE_HTTP_ERROR', message, { status });
    this.moduleHeaders = moduleHeaders;
  }
}

export interface InvokeOptions {
  readonly body: Body;
  /** Fires when the client goes away. */
  readonly signal: AbortSignal | undefined;
}

/** One attempt at a run of a task. */
export interface TaskRun {
  /** TaskDeclaration.name */
  readonly task: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly slot: string | null;
  /** Valid JSON text, written by the host. */
  readonly data: string;
}

export interface TaskRunOptions {
  /** How long the handler may run, from its first line on; waking the module is not part of it. */
  readonly timeoutMs: number;
  /** After the deadline, or after `signal`, the handler may tidy up for so long; then its thread is ended. */
  readonly graceMs: number;
  /** Fires when the run is not wanted any more. */
  readonly signal: AbortSignal;
  /** The handler is called now. */
  readonly onStart?: () => void;
}

/** One event on its way to one handler. */
export interface EventDelivery {
  /** The method of a declared handler, or the number of what one thread subscribed to. */
  readonly handler: string | number;
  /** The thread that subscribed, as its capabilities know it; none other gets the event then. */
  readonly thread?: object;
  readonly name: string;
  readonly source: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly id: string;
  /** Valid JSON text, written by the host. */
  readonly data: string;
}

export interface EventDeliveryOptions {
  /** How long the handler may run, from its first line on; waking the module is not part of it. */
  readonly timeoutMs: number;
  /** Fires when nobody wants it delivered any more; one that is under way goes on. */
  readonly signal: AbortSignal;
  /** The handler is called now. */
  readonly onStart: () => void;
}

/** One call of a method by another module; the host's words all of them. */
export interface MethodCall {
  /** MethodDeclaration.name */
  readonly method: string;
  /** Valid JSON text, written by the host. */
  readonly args: string;
  readonly caller: { readonly module: string };
  readonly user: Caller | null;
  /** Epoch milliseconds. */
  readonly deadline: number;
  /** Modules that called one another until here: 1 for the first. */
  readonly depth: number;
}

export interface ServedModule {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  /** `/api/v1/weather`, no slash at the end. */
  readonly prefix: string;
  readonly state: ModuleState;
  /** Why it is in this state, for operators. */
  readonly reasons: readonly string[];
  readonly declaration: Declaration;
  /** Its manifest is known and no more: the host is still at work on it. */
  readonly isLoading?: true;
  /**
   * Boots the module if it sleeps, runs one handler, and settles exactly once, at the latest at `request.deadline`.
   * @throws PlexiError MODULE_UNAVAILABLE, MODULE_OVERLOADED, MODULE_CRASHED, MODULE_TIMEOUT, MODULE_ERROR,
   *   MODULE_HTTP_ERROR, INVALID_MODULE_RESPONSE, CLIENT_CLOSED
   */
  invoke(request: Omit<EndpointRequest, 'invocation'>, options: InvokeOptions): Promise<ModuleAnswer>;
  /**
   * Boots the module if it sleeps and runs one task. Settles only when the handler has settled or its thread is gone:
   * nothing of the run goes on afterwards.
   * @returns the JSON text of what the handler returned, if it is worth keeping
   * @throws PlexiError TASK_TIMEOUT, TASK_UNRECOVERABLE, MODULE_ERROR, MODULE_CRASHED (an InstanceGone), CLIENT_CLOSED
   *   when `signal` fired, INVALID_MODULE_RESPONSE; MODULE_UNAVAILABLE and MODULE_OVERLOADED when it was not started at all
   */
  runTask(run: TaskRun, options: TaskRunOptions): Promise<string | undefined>;
  /**
   * Boots the module if it sleeps and runs one handler of an event; what was subscribed to by one thread wakes nobody.
   * @throws PlexiError MODULE_ERROR, MODULE_TIMEOUT, MODULE_CRASHED, INVALID_MODULE_RESPONSE; NOT_FOUND when the thread is
   *   gone; MODULE_UNAVAILABLE, MODULE_OVERLOADED and CLIENT_CLOSED when it was not started at all
   */
  runEvent(delivery: EventDelivery, options: EventDeliveryOptions): Promise<void>;
  /**
   * Boots the module if it sleeps and runs one method, which the declaration has; settles at the latest at the deadline.
   * @param signal fires when the caller gives up
   * @returns text that the module says is JSON: nobody has parsed it
   * @throws PlexiError as `invoke`
   */
  callMethod(call: MethodCall, signal: AbortSignal): Promise<string>;
  /** Handlers of any sort that are under way. */
  readonly underWay: number;
}

/** Where the gateway looks modules up. `revision` grows whenever a module comes, goes or declares anew. */
export interface ModuleDirectory {
  readonly revision: number;
  /** False while the host has not even looked which modules there are; a directory without it is complete. */
  readonly isAnnounced?: boolean;
  /** The module whose prefix covers this path, in any state. */
  find(pathname: string): ServedModule | undefined;
  list(): readonly ServedModule[];
}

/** An endpoint with the module that it belongs to. */
export interface ServedEndpoint {
  readonly module: ServedModule;
  readonly endpoint: EndpointDeclaration;
}
