/** What happens, as server-sent events: first what was missed, then what comes, with a sign of life now and then. */

export interface StreamListener<Item> {
  readonly onItem: (item: Item) => void;
  /** The host ends. */
  readonly onEnd: () => void;
}

export interface EventStreamParts<Item> {
  /** @returns stops listening */
  readonly listen: (listener: StreamListener<Item>) => () => void;
  /** What there was before, oldest first. */
  readonly missed: readonly Item[];
  readonly isWanted?: (item: Item) => boolean;
  /** JSON has no line break, so each is one `data:` line, whatever a module wrote. */
  readonly view: (item: Item) => { readonly id: number; readonly event: string; readonly data: unknown };
  /** Asked at each sign of life: rejects when the caller may not be here any more. */
  readonly recheck: () => unknown;
  /** Called once, whatever ends it. */
  readonly onClose: () => void;
  readonly heartbeatMs?: number;
  readonly maxAgeMs?: number;
}

/** Why a stream ends, as its last event says. */
export const STREAM_ENDS = {
  host_ends: 'The host ends.',
  too_slow: 'Too much waited for this reader; come back with Last-Event-ID for the rest.',
  too_old: 'This stream was open for long; come back with Last-Event-ID.',
  not_allowed: 'The credential of this stream has expired, or was withdrawn.',
} as const;
type StreamEnd = keyof typeof STREAM_ENDS;

const HEARTBEAT_MS = 15_000;
const MAX_AGE_MS = 60 * 60_000;
/** Characters that wait for a client that does not read. */
const MAX_WAITING = 512 * 1024;
const ENCODER = new TextEncoder();
const HELLO = 'retry: 5000\n\n';
const ALIVE = ': alive\n\n';

export function eventStream<Item>(parts: EventStreamParts<Item>): ReadableStream<Uint8Array> {
  const { view, isWanted = () => true, heartbeatMs = HEARTBEAT_MS, maxAgeMs = MAX_AGE_MS } = parts;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let waiting: string[] = [HELLO, ...parts.missed.map(frame)];
  /** Characters of what came while nobody read. */
  let size = 0;
  let isOver = false;

  const flush = (): void => {
    if (controller === undefined || waiting.length === 0 || (controller.desiredSize ?? 0) <= 0) return;
    const text = waiting.join('');
    const isLast = isOver;
    // Emptied first: what takes it in may ask for more at once.
    waiting = [];
    size = 0;
    controller.enqueue(ENCODER.encode(text));
    if (isLast) controller.close();
  };
  const send = (text: string): void => {
    if (isOver) return;
    waiting.push(text);
    size += text.length;
    flush();
    if (size > MAX_WAITING) end('too_slow');
  };
  const release = (): void => {
    isOver = true;
    stopListening();
    clearInterval(heartbeat);
    clearTimeout(oldAge);
    parts.onClose();
  };
  const end = (why: StreamEnd): void => {
    if (isOver) return;
    release();
    const words = `event: end\ndata: ${JSON.stringify({ code: why, reason: STREAM_ENDS[why] })}\n\n`;
    // What nobody read is dropped, so that it takes no memory until the socket is cut.
    waiting = why === 'too_slow' ? [words] : [...waiting, words];
    flush();
  };
  let stopListening = (): void => {};
  const heartbeat = setInterval(async () => {
    try {
      await parts.recheck();
      if (waiting.length === 0) send(ALIVE);
    } catch {
      end('not_allowed');
    }
  }, heartbeatMs);
  const oldAge = setTimeout(end, maxAgeMs, 'too_old');
  stopListening = parts.listen({
    onItem: (item) => {
      if (isWanted(item)) send(frame(item));
    },
    onEnd: () => end('host_ends'),
  });
  if (isOver) stopListening();

  function frame(item: Item): string {
    const { id, event, data } = view(item);
    return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  return new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      pull: flush,
      cancel() {
        controller = undefined;
        waiting = [];
        if (!isOver) release();
      },
    },
    { highWaterMark: 1 },
  );
}
