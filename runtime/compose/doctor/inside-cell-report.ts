/** What the program in the cell is told, and what it tells. It stands alone in there, so only types may be imported of this. */

/** The content of order.json beside this file. */
export interface InsideOrder {
  /** A file that everybody may read, if nothing holds them. */
  readonly file: string;
  /** Listens on loopback. */
  readonly port: number;
}

export const ATTEMPTS = ['read', 'list', 'write', 'connect', 'listen', 'child', 'addon', 'evaluate', 'thread'] as const;
export type Attempts = Readonly<Record<(typeof ATTEMPTS)[number], string>>;

export interface InsideReport {
  readonly cell: Attempts;
  readonly thread: Attempts;
  /** Names of the variables that it was given. */
  readonly environment: readonly string[];
  /** `done` when a signal would reach the process above. */
  readonly signal: string;
  readonly hasProto: boolean;
  /** What Node says it was started with. */
  readonly flags: readonly string[];
}
