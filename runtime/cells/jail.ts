/** What holds a cell besides Node's own permissions: which user it is, what it may never gain, how much it may take. */

export interface JailLayer {
  /** `permissions`, `environment`, `no-new-privileges`, `user`, `memory`, `bwrap`, … */
  readonly name: string;
  readonly on: boolean;
  /** One sentence for an operator: what this stops when it is on, and what stays open, and how to get it, when it is off. */
  readonly meaning: string;
}

export interface JailCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

export interface Jail {
  readonly layers: readonly JailLayer[];
  /** The command line that runs `node` with these arguments inside of the jail. Each cell may be another user. */
  command(args: readonly string[]): JailCommand;
}

export interface JailOptions {
  readonly jail: 'auto' | 'bwrap';
}

/**
 * Tries each layer once for real on this machine; starts no host and leaves nothing behind.
 * @throws JailError when `bwrap` is asked for and does not work here
 */
export declare function probeJail(options: JailOptions): Promise<Jail>;
