/** Writes a body of unknown length to a file, up to a bound, for as long as the sender may take. */
import { open } from 'node:fs/promises';
import { PACKAGE_BOUNDS, showBytes } from './package-bounds.ts';
import { PackageError } from './package-error.ts';

export interface ReceiveOptions {
  readonly withinMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** @throws PackageError when it is too large or too slow; the reason of the signal when that aborts */
export async function receiveBytes(
  bytes: AsyncIterable<Uint8Array>,
  file: string,
  { withinMs, signal }: ReceiveOptions,
): Promise<void> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(tooSlow(withinMs)), withinMs);
  try {
    const signals = [deadline.signal, ...(signal === undefined ? [] : [signal])];
    await receive(bytes, file, AbortSignal.any(signals));
  } finally {
    clearTimeout(timer);
  }
}

async function receive(bytes: AsyncIterable<Uint8Array>, file: string, signal: AbortSignal): Promise<void> {
  const source = bytes[Symbol.asyncIterator]();
  const handle = await open(file, 'wx', 0o600);
  try {
    let total = 0;
    for (;;) {
      const { done, value } = await beforeAbort(source.next(), signal);
      if (done === true) return;
      total += value.byteLength;
      if (total > PACKAGE_BOUNDS.zipBytes) throw tooLarge();
      await handle.writeFile(value);
    }
  } finally {
    // Not waited for: a source that hangs in its next piece hangs here too.
    void Promise.resolve(source.return?.()).catch(() => {});
    await handle.close();
  }
}

function beforeAbort<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  return promise;
}

function tooSlow(withinMs: number): PackageError {
  const message = `The package did not arrive within ${withinMs / 1000} seconds.`;
  return new PackageError('refused', [{ path: '', message }]);
}

function tooLarge(): PackageError {
  const message = `The package has more than ${showBytes(PACKAGE_BOUNDS.zipBytes)}.`;
  return new PackageError('too-large', [{ path: '', message }]);
}
