/** What the program in the cell is told, and what it tells. It stands alone in there, so only types may be imported of this. */

/** The content of order.json beside this file. */
export interface InsideOrder {
  /** A file that everybody may read, if nothing holds them. */
  readonly file: string;
  /** A file that is for the user of the host only. */
  readonly ownFile: string;
  /** Listens on loopback. */
  readonly port: number;
  /** Another, for code that has left its thread. */
  readonly beyondPort: number;
  readonly hostProcess: number;
}

export const ATTEMPTS = [
  'read',
  'own',
  'list',
  'write',
  'connect',
  'listen',
  'child',
  'addon',
  'evaluate',
  'thread',
] as const;
export type Attempts = Readonly<Record<(typeof ATTEMPTS)[number], string>>;

export interface InsideReport {
  readonly cell: Attempts;
  readonly thread: Attempts;
  /** By a thread to which the thread of the cell gave what Node took from it: permissions are each thread's own. */
  readonly beyond: Attempts;
  /** Names of the variables that it was given. */
  readonly environment: readonly string[];
  /** `done` when a signal reached whoever has the number of the host in there. */
  readonly signal: string;
  readonly hasProto: boolean;
  /** What Node says it was started with. */
  readonly flags: readonly string[];
}
