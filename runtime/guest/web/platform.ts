/** What the kernel lends to the web globals; held here so that a group that loads late finds it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface WebPlatform {
  /** 32 bytes of the host's entropy; the random numbers of this realm grow from them. */
  readonly seed: Uint8Array;
  log(level: LogLevel, text: string): void;
  setTimeout(callback: () => void, ms: number): number;
  clearTimeout(id: number): void;
}

let current: WebPlatform | undefined;

export function usePlatform(platform: WebPlatform): void {
  current = platform;
}

export function platform(): WebPlatform {
  if (current === undefined) throw new Error('The web globals are not installed: call installWebGlobals first.');
  return current;
}

/** A callback of the author threw where nobody can catch it: it is logged, never inspected. */
export function reportFailure(where: string, reason: unknown): void {
  let text = 'something that is no error';
  try {
    if (reason instanceof Error) text = `${reason.name}: ${reason.message}`;
  } catch {
    // A hostile getter on the reason only costs the module its own message.
  }
  current?.log('error', `${where} threw ${text}`);
}
