/**
 * Events between hosts on Redis: published to all of them, and a key per event and handler says who runs it. At most once
 * also when Redis fails: an event that others may have is run by nobody who could not take its key.
 */
import { randomUUID } from 'node:crypto';
import { reasonOf } from '../queue/reachability.ts';
import { createRedisClients, type RedisClientSettings } from '../queue/redis-clients.ts';
import { type EventBus, LATEST_CLAIM_MS } from './event-bus.ts';
import type { HostEvent } from './host-event.ts';
import { readWireEvent, writeWireEvent } from './wire-event.ts';

export interface RedisBusOptions {
  readonly redis: RedisClientSettings;
  /** Sets this installation apart from others on the same server. */
  readonly prefix: string;
  readonly receive: (event: HostEvent) => void;
  /** At most one call a minute. */
  readonly onTrouble: (reason: string) => void;
}

/** Nobody asks later than this whose turn it is (LATEST_CLAIM_MS), so that no second host finds the key gone. */
const CLAIM_MS = 2 * LATEST_CLAIM_MS;
const TELL_EVERY_MS = 60_000;

/** Connects in the background, and again whenever the connection is lost: a host serves without it. */
export function openRedisBus({ redis, prefix, receive, onTrouble }: RedisBusOptions): EventBus {
  const host = randomUUID();
  const channel = `${prefix}:events`;
  let isClosed = false;
  const tellNow = atMostEvery(TELL_EVERY_MS, onTrouble);
  // Boundary: ioredis hangs the refused command on its error, and that may be the one with the password: words only.
  const tell = (error: unknown): void => {
    if (!isClosed) tellNow(reasonOf(error));
  };
  const { producer, consumer, disconnect } = createRedisClients(redis, tell);
  consumer.on('message', (_channel: string, text: string) => {
    const read = readWireEvent(text);
    if (read === undefined) tell(new Error(`Something that is no event came over the channel ${channel} of Redis.`));
    else if (read.host !== host) receive(read.event);
  });
  const connect = async (): Promise<void> => {
    // Each connects again by itself; what fails here is only the first attempt.
    await Promise.allSettled([producer.connect(), consumer.connect()]);
    // Waits for a connection, and is repeated after each that is lost.
    await consumer.subscribe(channel);
  };
  connect().catch(tell);

  return {
    publish(event) {
      if (producer.status !== 'ready') return false;
      // An answer that does not come may mean that it was sent: then its handlers still have to be claimed.
      producer.publish(channel, writeWireEvent(event, host)).catch(tell);
      return true;
    },
    async claim(key) {
      return (await producer.set(`${prefix}:event:${key}`, host, 'PX', CLAIM_MS, 'NX')) === 'OK';
    },
    close() {
      isClosed = true;
      return disconnect();
    },
  };
}

function atMostEvery(ms: number, tell: (reason: string) => void): (reason: string) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (reason) => {
    if (performance.now() - toldAt < ms) return;
    toldAt = performance.now();
    tell(reason);
  };
}
