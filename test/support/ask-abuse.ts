/** Sends the request of an abuse, and says in a word what came back. */
import type { AbuseRequest } from './abuse.ts';

export interface AbuseAnswer {
  /** `200`, `STATUS CODE`, `cut`, `left`: as in AbuseOutcome.answers. */
  readonly answer: string;
  readonly headers: Headers | undefined;
}

/** Nobody waits longer than this for an answer here. */
const PATIENCE_MS = 60_000;

export async function askAbuse(
  url: string,
  { path, method = 'GET', body, timeoutMs = PATIENCE_MS }: AbuseRequest,
): Promise<AbuseAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  let headers: Headers | undefined;
  try {
    const response = await fetch(url + path, { method, signal, ...(body === undefined ? {} : { body }) });
    headers = response.headers;
    if (response.status >= 400) {
      const { code } = (await response.json()) as { code?: unknown };
      return { answer: `${response.status} ${code}`, headers };
    }
    for await (const _chunk of response.body ?? []);
    return { answer: String(response.status), headers };
  } catch {
    return { answer: signal.aborted ? 'left' : 'cut', headers };
  }
}
