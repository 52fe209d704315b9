/** Notifications as server-sent events: first what was missed, then what comes, with a sign of life now and then. */
import type { Notification } from '../notifications/notification.ts';
import type { FeedListener } from '../notifications/notification-feed.ts';

export interface NotificationStreamParts {
  /** @throws PlexiError when the user, or the host, has too many streams open */
  readonly listen: (listener: FeedListener) => () => void;
  /** What was kept after the one that the client saw last; nothing for a client that has seen none. */
  readonly missed: () => Promise<readonly Notification[]>;
  /** Asked at each sign of life: rejects when the caller may not be here any more. */
  readonly recheck: () => unknown;
  readonly heartbeatMs?: number;
  readonly maxAgeMs?: number;
}

const HEARTBEAT_MS = 15_000;
/** A client comes back by itself, and says who it is again. */
const MAX_AGE_MS = 60 * 60_000;
/** Pieces that wait for a client that does not read; one that is further behind comes back for the rest. */
const MAX_WAITING = 64;
const ENCODER = new TextEncoder();
const HELLO = ENCODER.encode('retry: 5000\n\n');
const ALIVE = ENCODER.encode(': alive\n\n');

/** @throws what `listen` throws, before anything is sent */
export function notificationStream(parts: NotificationStreamParts): ReadableStream<Uint8Array> {
  const { heartbeatMs = HEARTBEAT_MS, maxAgeMs = MAX_AGE_MS } = parts;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** What comes before the missed ones are out. */
  let early: Notification[] | undefined = [];
  let isOver = false;

  const end = (): void => {
    if (isOver) return;
    isOver = true;
    stopListening();
    clearInterval(heartbeat);
    clearTimeout(oldAge);
    controller?.close();
  };
  const send = (bytes: Uint8Array): void => {
    if (isOver || controller === undefined) return;
    controller.enqueue(bytes);
    if ((controller.desiredSize ?? 0) <= 0) end();
  };
  const stopListening = parts.listen({
    onNotification(notification) {
      if (early === undefined) send(frame([notification]));
      else if (early.push(notification) > MAX_WAITING) end();
    },
    onEnd: end,
  });
  const heartbeat = setInterval(async () => {
    try {
      await parts.recheck();
      send(ALIVE);
    } catch {
      end();
    }
  }, heartbeatMs);
  const oldAge = setTimeout(end, maxAgeMs);

  const begin = async (): Promise<void> => {
    try {
      const missed = await parts.missed();
      const last = Number(missed.at(-1)?.id ?? 0);
      const all = [...missed, ...(early ?? []).filter(({ id }) => Number(id) > last)];
      early = undefined;
      if (all.length > 0) send(frame(all));
    } catch {
      // The client comes back with the same Last-Event-ID.
      end();
    }
  };
  return new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
        send(HELLO);
        void begin();
      },
      cancel() {
        controller = undefined;
        end();
      },
    },
    { highWaterMark: MAX_WAITING },
  );
}

/** JSON has no line break, so each is one `data:` line, whatever a module wrote. */
function frame(notifications: readonly Notification[]): Uint8Array {
  const text = notifications.map((each) => `id: ${each.id}\nevent: notification\ndata: ${JSON.stringify(each)}\n\n`);
  return ENCODER.encode(text.join(''));
}
