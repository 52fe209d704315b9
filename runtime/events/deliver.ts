/**
 * One event to one handler, every step in order: may it hear this → is it this host's turn → the module → what came of it.
 * At most once: a handler that was called is never called again for the same event.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { AT_REST } from '../modules/lifecycle.ts';
import type { ServedModule } from '../modules/served-module.ts';
import type { Chains } from './chains.ts';
import { type EventBus, LATEST_CLAIM_MS } from './event-bus.ts';
import type { HostEvent } from './host-event.ts';

/** Whom an event is for. */
export interface Addressee {
  readonly module: string;
  readonly handler: string | number;
  /** The thread that subscribed at run time. */
  readonly thread?: object;
}

/** The first four: its handler was called. `elsewhere`: another host delivers it, and counts it. */
export type DeliveryOutcome =
  | 'delivered'
  | 'failed'
  | 'timeout'
  | 'crashed'
  | 'denied'
  | 'unavailable'
  | 'full'
  | 'unclaimed'
  | 'closed'
  | 'elsewhere';

export interface DeliverParts {
  readonly moduleOf: (name: string) => ServedModule | undefined;
  /** Boundary: asks what is granted now, at every delivery. */
  readonly mayHear: (module: string, name: string) => boolean;
  readonly bus: () => EventBus | undefined;
  readonly chains: Chains;
  readonly timeoutMs: (module: ServedModule) => number;
}

export interface Delivered {
  readonly outcome: DeliveryOutcome;
  /** Why, in words for operators; a module's own words may be among them. */
  readonly detail?: string;
}

/** A module that recovers from a crash, or has too much to do, is waited for this long. */
const PATIENCE_MS = 30_000;
const SHORTEST_PAUSE_MS = 100;
/** A host where the module is awake goes first. */
const SLEEPER_PAUSE_MS = 50;

/** Never rejects. */
export async function deliver(
  parts: DeliverParts,
  to: Addressee,
  event: HostEvent,
  signal: AbortSignal,
): Promise<Delivered> {
  const module = parts.moduleOf(to.module);
  if (module === undefined || AT_REST.has(module.state)) {
    return { outcome: 'unavailable', detail: `the module is ${module?.state ?? 'not there any more'}` };
  }
  if (!parts.mayHear(to.module, event.name)) {
    return { outcome: 'denied', detail: `it may not listen to ${event.name}` };
  }
  const turn = await takeTurn(parts.bus(), to, event, module, signal);
  if (turn !== 'ours') return turn;
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      // Another version may have taken its place meanwhile.
      await call(parts, parts.moduleOf(to.module) ?? module, to, event, signal);
      return { outcome: 'delivered' };
    } catch (error) {
      const pauseMs = pauseBefore(error);
      const isOver = pauseMs === undefined || Date.now() + pauseMs > until || signal.aborted;
      if (isOver) return judge(error);
      await pause(pauseMs, signal);
    }
  }
}

/** What one thread subscribed to is its own: each host, and each thread, gets the event for itself. */
async function takeTurn(
  bus: EventBus | undefined,
  { module: name, handler, thread }: Addressee,
  event: HostEvent,
  module: ServedModule,
  signal: AbortSignal,
): Promise<'ours' | Delivered> {
  if (!event.isShared || thread !== undefined || bus === undefined) return 'ours';
  if (module.state !== 'running') await pause(SLEEPER_PAUSE_MS, signal);
  if (performance.now() - event.heardAt > LATEST_CLAIM_MS) {
    // Boundary: another host may have run it long ago, and its word for that be gone.
    return { outcome: 'unclaimed', detail: `it waited longer than ${LATEST_CLAIM_MS / 60_000} minutes for its turn` };
  }
  try {
    return (await bus.claim(`${event.id}:${name}:${handler}`)) ? 'ours' : { outcome: 'elsewhere' };
  } catch {
    // Another host may have it: twice would be worse than not at all.
    return { outcome: 'unclaimed', detail: 'Redis cannot say whose turn it is' };
  }
}

async function call(
  { chains, timeoutMs }: DeliverParts,
  module: ServedModule,
  { handler, thread, module: name }: Addressee,
  event: HostEvent,
  signal: AbortSignal,
): Promise<void> {
  let end = (): void => {};
  const { id, source, at, data, hops } = event;
  const delivery = { handler, name: event.name, source, at, id, data, ...(thread === undefined ? {} : { thread }) };
  try {
    await module.runEvent(delivery, {
      timeoutMs: timeoutMs(module),
      signal,
      onStart: () => {
        end = chains.begin(name, hops);
      },
    });
  } finally {
    end();
  }
}

/** Undefined when the handler was called, or nobody can say: then it is not called again. */
function pauseBefore(error: unknown): number | undefined {
  if (!(error instanceof PlexiError)) return undefined;
  if (error.code !== 'MODULE_UNAVAILABLE' && error.code !== 'MODULE_OVERLOADED') return undefined;
  return Math.max(SHORTEST_PAUSE_MS, Number(error.headers['retry-after'] ?? 1) * 1000);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

function judge(error: unknown): Delivered {
  const detail = error instanceof Error ? error.message : String(error);
  if (!(error instanceof PlexiError)) return { outcome: 'failed', detail };
  switch (error.code) {
    case 'MODULE_TIMEOUT':
      return { outcome: 'timeout', detail };
    case 'MODULE_CRASHED':
      return { outcome: 'crashed', detail };
    case 'CLIENT_CLOSED':
    case 'NOT_FOUND':
      return { outcome: 'closed', detail };
    case 'MODULE_UNAVAILABLE':
    case 'MODULE_OVERLOADED':
      return { outcome: 'unavailable', detail };
    default:
      return { outcome: 'failed', detail };
  }
}
