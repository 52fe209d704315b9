/** @retry: a method that is tried again when it fails. */
import { activeHost } from './active-host.ts';
import { isHttpError } from './errors.ts';

/** Milliseconds. */
export interface RetryWait {
  /** Before the second attempt. Default: 1,000. */
  readonly initial?: number;
  /** No wait is longer. Default: 30,000. */
  readonly max?: number;
  /** Each wait is this many times the last. Default: 2. */
  readonly factor?: number;
  /** 0 to 1: the share of the wait that is random. Default: 0.5. */
  readonly jitter?: number;
}

export interface RetryOptions {
  /** How often the method runs at most, the first time included. */
  readonly attempts: number;
  /** Milliseconds between attempts, the same each time; or how they grow. Default: 1,000, doubling. */
  readonly wait?: number | RetryWait;
  /** Whether a failure is worth another attempt. Default: everything but an HttpError below 500. */
  readonly when?: (error: unknown, attempt: number) => boolean;
}

type AsyncMethod<This, Args extends readonly unknown[], Result> = (this: This, ...args: Args) => Promise<Result>;

/**
 * Runs an async method again while it fails, and throws its last error. The invocation's deadline still holds.
 * @throws RangeError when attempts is not a whole number from 1 to 100
 * @example
 * class Weather extends BaseModule {
 *   @retry({ attempts: 3, wait: { initial: 4_000, max: 10_000 } })
 *   async callApi(path: string) {
 *     return this.http.fetch(`https://api.example.com${path}`);
 *   }
 * }
 */
export function retry({ attempts, wait = {}, when = isWorthRetrying }: RetryOptions) {
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > 100) {
    throw new RangeError(`@retry: attempts must be a whole number from 1 to 100, found ${String(attempts)}.`);
  }
  return <This, Args extends readonly unknown[], Result>(
    method: AsyncMethod<This, Args, Result>,
    _context: ClassMethodDecoratorContext,
  ): AsyncMethod<This, Args, Result> =>
    async function retried(this: This, ...args: Args): Promise<Result> {
      for (let attempt = 1; ; attempt++) {
        try {
          return await Reflect.apply(method, this, args);
        } catch (error) {
          if (attempt >= attempts || !when(error, attempt)) throw error;
          await sleep(delayOf(wait, attempt));
        }
      }
    };
}

function delayOf(wait: number | RetryWait, attempt: number): number {
  if (typeof wait === 'number') return wait;
  const { initial = 1000, max = 30_000, factor = 2, jitter = 0.5 } = wait;
  const full = Math.min(max, initial * factor ** (attempt - 1));
  return full * (1 - jitter * Math.random());
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    activeHost('@retry').setTimeout(resolve, ms);
  });
}

function isWorthRetrying(error: unknown): boolean {
  return !(isHttpError(error) && error.status < 500);
}
