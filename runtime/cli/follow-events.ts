/** Follows server-sent events of a host, over tokens that expire and connections that break, until the host ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { findHost, type HostAccess, type HostFlags } from './host-access.ts';
import { readBounded } from './host-client.ts';
import { refusal } from './host-refusal.ts';
import { parseJsonOrNothing } from './parse-json.ts';
import { HostError } from './user-error.ts';

export interface FollowedEvent {
  readonly event: string;
  /** As it came. */
  readonly data: string;
}

/** A host gives a sign of life every 15 seconds. */
const SILENCE_MS = 45_000;
const AGAIN_MS = 1_000;
const MAX_EVENT = 256 * 1024;

/** @throws UserError when the host refuses, HostError when it cannot be reached (again) or is no host */
export async function followEvents(
  flags: HostFlags,
  path: string,
  onEvent: (event: FollowedEvent) => void,
): Promise<void> {
  const ending = new AbortController();
  // `plexi modules logs … | head` has read enough.
  const stop = (): void => ending.abort();
  process.stdout.once('error', stop);
  let lastId: string | undefined;
  try {
    while (!ending.signal.aborted) {
      const access = await findHost(flags);
      await followOnce(access, path, lastId, ending.signal, ({ id, event, data }) => {
        lastId = id ?? lastId;
        if (ending.signal.aborted) return;
        if (event === 'end' && codeOf(data) === 'host_ends') stop();
        else onEvent({ event, data });
      });
      await sleep(AGAIN_MS, undefined, { signal: ending.signal }).catch(() => {});
    }
  } finally {
    process.stdout.off('error', stop);
  }
}

interface IncomingEvent extends FollowedEvent {
  readonly id: string | undefined;
}

/** Until the connection ends, whyever. */
async function followOnce(
  { url, token, refusedHint }: HostAccess,
  path: string,
  lastId: string | undefined,
  ending: AbortSignal,
  onEvent: (event: IncomingEvent) => void,
): Promise<void> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const parser = createParser({
    onEvent: ({ id, event = 'message', data }) => onEvent({ id, event, data }),
    onError({ type }) {
      if (type === 'max-buffer-size-exceeded') throw new HostError(`${url} sent an event that is too long to be one.`);
    },
    maxBufferSize: MAX_EVENT,
  });
  try {
    const response = await open(url, path, token, lastId, AbortSignal.any([silence.signal, ending]));
    if (!response.ok) {
      throw refusal(response.status, await readBounded(response), { url, token, refusedHint });
    }
    if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
      throw new HostError(`${url} answered something that this command does not understand: it cannot be followed.`);
    }
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      parser.feed(decoder.decode(chunk, { stream: true }));
    }
  } catch (error) {
    // What broke off is asked for again, from where it was; what is refused, or is nothing of ours, is not.
    if (!isBrokenOff(error)) throw error;
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

async function open(url: string, path: string, token: string, lastId: string | undefined, signal: AbortSignal) {
  try {
    return await fetch(url + path, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        // Boundary: it was a host's word; only a number goes back.
        ...(lastId !== undefined && /^\d{1,16}$/.test(lastId) ? { 'last-event-id': lastId } : {}),
      },
      // Boundary: the token is for this address; where a redirect leads is somebody else's choice.
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new HostError(`${url} cannot be reached. Does the host run there?`);
  }
}

function isBrokenOff(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof DOMException && error.name === 'AbortError');
}

function codeOf(data: string): unknown {
  const value = parseJsonOrNothing(data);
  return typeof value === 'object' && value !== null && 'code' in value ? value.code : undefined;
}
