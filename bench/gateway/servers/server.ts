/** What every server of this bench tells when it listens. */

export interface ServerReady {
  readonly url: string;
  readonly tokens: readonly string[];
}
