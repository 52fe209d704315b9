/**
 * The door for events: takes what modules and the chat host say, and hands it to those who listen, each at its own pace.
 * Nobody waits for a handler: what is slow, fails or is too much is counted where it happens, and dropped.
 */
import { randomUUID } from 'node:crypto';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { isModuleEvent, MAX_EVENT_HOPS, MAX_SUBSCRIPTIONS } from '@plexichat/sdk/protocol/event-names';
import { ModuleRate } from '../capabilities/module-rate.ts';
import type { ModuleListener } from '../modules/registry.ts';
import type { ServedModule } from '../modules/served-module.ts';
import { Chains } from './chains.ts';
import { type Addressee, type DeliverParts, type DeliveryOutcome, deliver } from './deliver.ts';
import { createDropWords, type WarnLog } from './drop-words.ts';
import type { EventBus } from './event-bus.ts';
import { EventIndex } from './event-index.ts';
import { CHAT_HOST, type HostEvent } from './host-event.ts';
import { Lane, type ModuleLoad } from './lane.ts';

export interface EventMeter {
  /** @param source a module, or the chat host */
  emitted(source: string): void;
  refused(module: string, why: 'rate' | 'chain'): void;
  settled(module: string, outcome: Exclude<DeliveryOutcome, 'elsewhere'>): void;
}

export interface EventModules {
  get(name: string): ServedModule | undefined;
  list(): readonly ServedModule[];
  onChange(listener: ModuleListener): () => void;
}

export interface EventRoomOptions {
  readonly limits: EventLimits;
  readonly modules: EventModules;
  /** Boundary: whether the module was granted to hear of events with this name. Asked for names of the platform only. */
  readonly mayHear: (module: string, name: string) => boolean;
  /** Opens the way to other hosts, if there are any. */
  readonly openBus?: (receive: (event: HostEvent) => void) => EventBus;
  readonly meter: EventMeter;
  readonly log: WarnLog;
  readonly now?: () => number;
}

export interface EventLimits {
  /** Of one module. */
  readonly emitsPerSecond: number;
  /** Events that wait for one subscriber. */
  readonly maxWaiting: number;
  /** Caps runtime.timeout. */
  readonly maxTimeoutMs: number;
}

export interface Said {
  readonly id: string;
  /** On this host. */
  readonly subscribers: number;
}

/** What one thread of a module listens to at run time. */
export interface RuntimeSubscription {
  /** The guest's own number. */
  readonly subscription: number;
  readonly pattern: string;
  /** Names the thread, and nothing else does. */
  readonly thread: object;
  /** Fires when the thread ends. */
  readonly signal: AbortSignal;
}

interface Subscriber {
  readonly to: Addressee;
  readonly lane: Lane;
  patterns: readonly string[];
}

const LANE_CHARACTERS = 1024 * 1024;
const MODULE_CHARACTERS = 8 * 1024 * 1024;

export class EventRoom {
  readonly #options: EventRoomOptions;
  readonly #index = new EventIndex<Subscriber>();
  /** By module and method. */
  readonly #declared = new Map<string, Map<string, Subscriber>>();
  readonly #threads = new Map<object, Map<number, Subscriber>>();
  readonly #loads = new Map<string, ModuleLoad>();
  readonly #chains = new Chains();
  readonly #rate: ModuleRate;
  readonly #tell: ReturnType<typeof createDropWords>;
  readonly #parts: DeliverParts;
  readonly #stopListening: () => void;
  #bus: EventBus | undefined;
  #isClosing = false;

  constructor(options: EventRoomOptions) {
    const { limits, modules, mayHear, log } = options;
    this.#options = options;
    this.#rate = new ModuleRate(limits.emitsPerSecond, 1_000, options.now);
    this.#tell = createDropWords(log);
    this.#parts = {
      moduleOf: (name) => modules.get(name),
      mayHear: (module, name) => isModuleEvent(name) || mayHear(module, name),
      bus: () => this.#bus,
      chains: this.#chains,
      timeoutMs: ({ manifest }) => Math.min(manifest.runtime.timeout * 1000, limits.maxTimeoutMs),
    };
    for (const module of modules.list()) this.#learn(module);
    this.#stopListening = modules.onChange((module, from) => {
      if (from === undefined) this.#learn(module);
    });
  }

  /** Listens to other hosts, if there are any. Once; a host that did not get this far has nothing to close. */
  open(): void {
    this.#bus = this.#options.openBus?.((event) => this.#receive(event));
  }

  /**
   * What a module says. Boundary: the source is the module that calls, whatever it wrote.
   * @param data JSON text of ours
   * @throws PlexiError QUOTA_EXCEEDED, INVALID_CALL, MODULE_UNAVAILABLE
   */
  emit(module: string, name: string, data: string): Said {
    const { modules, meter, limits } = this.#options;
    const served = modules.get(module);
    if (served === undefined || served.isLoading === true) {
      throw new PlexiError('MODULE_UNAVAILABLE', 'events.emit: the module is not served yet; it may emit once it is.');
    }
    if (!this.#rate.admit(module)) {
      meter.refused(module, 'rate');
      throw new PlexiError('QUOTA_EXCEEDED', `events.emit: at most ${limits.emitsPerSecond} events a second.`);
    }
    const hops = this.#chains.hopsOf(module, served.underWay);
    if (hops > MAX_EVENT_HOPS) {
      meter.refused(module, 'chain');
      this.#tell({ module, event: name, outcome: 'chain', detail: `it follows a chain of ${MAX_EVENT_HOPS} events` });
      throw new PlexiError(
        'INVALID_CALL',
        `events.emit("${name}"): it follows a chain of ${MAX_EVENT_HOPS} events that caused each other, which is where chains end. Do handlers answer events with events in a circle?`,
      );
    }
    return this.#say({ name, source: module, hops, data });
  }

  /** What the chat host says; the name is none of a module's. @param data JSON text of ours */
  publish(name: string, data: string): Said {
    return this.#say({ name, source: CHAT_HOST, hops: 0, data });
  }

  /** The caller has asked whether the module may. @throws PlexiError QUOTA_EXCEEDED, INVALID_CALL */
  subscribe(module: string, { subscription, pattern, thread, signal }: RuntimeSubscription): void {
    if (signal.aborted || this.#isClosing) return;
    const known = this.#threads.get(thread);
    if (known?.has(subscription)) {
      throw new PlexiError('INVALID_CALL', `events.subscribe: the subscription ${subscription} is there already.`);
    }
    if ((known?.size ?? 0) >= MAX_SUBSCRIPTIONS) {
      throw new PlexiError('QUOTA_EXCEEDED', `events.subscribe: at most ${MAX_SUBSCRIPTIONS} subscriptions at once.`);
    }
    const subscriptions = known ?? new Map<number, Subscriber>();
    subscriptions.set(subscription, this.#add({ module, handler: subscription, thread }, [pattern]));
    if (known !== undefined) return;
    this.#threads.set(thread, subscriptions);
    const end = (): void => {
      for (const subscriber of subscriptions.values()) this.#remove(subscriber);
      this.#threads.delete(thread);
    };
    signal.addEventListener('abort', end, { once: true });
  }

  unsubscribe(thread: object, subscription: number): void {
    const subscriptions = this.#threads.get(thread);
    const subscriber = subscriptions?.get(subscription);
    if (subscriber === undefined) return;
    subscriptions?.delete(subscription);
    this.#remove(subscriber);
  }

  /**
   * A handler of an event that calls another module is still what causes the events of that one.
   * @returns to be called when the call is over
   */
  enterCall(from: string, to: string): () => void {
    const hops = this.#chains.hopsOf(from, this.#options.modules.get(from)?.underWay ?? 0);
    return hops === 0 ? () => {} : this.#chains.begin(to, hops - 1);
  }

  /** Takes nothing any more; what waits is delivered for `drainMs`, and then given up. */
  async close(drainMs: number): Promise<void> {
    this.#isClosing = true;
    this.#stopListening();
    const lanes = [...this.#subscribers()].map(({ lane }) => lane);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([Promise.all(lanes.map((lane) => lane.idle())), late]);
    clearTimeout(timer);
    for (const lane of lanes) lane.close();
    await this.#bus?.close();
  }

  #say(said: Pick<HostEvent, 'name' | 'source' | 'hops' | 'data'>): Said {
    if (this.#isClosing)
      throw new PlexiError('MODULE_UNAVAILABLE', 'The host is being stopped; it takes no more events.');
    const event: HostEvent = { ...said, id: randomUUID(), at: Date.now(), heardAt: performance.now(), isShared: false };
    this.#options.meter.emitted(event.source);
    const isShared = this.#bus?.publish(event) ?? false;
    return { id: event.id, subscribers: this.#hand({ ...event, isShared }) };
  }

  #receive(event: HostEvent): void {
    if (!this.#isClosing) this.#hand(event);
  }

  #hand(event: HostEvent): number {
    let subscribers = 0;
    for (const { to, lane } of this.#index.find(event.name)) {
      subscribers += 1;
      if (!lane.push(event)) this.#settle(to, event.name, 'full', 'too much waits for it already');
    }
    return subscribers;
  }

  /** A module came, or took the place of one with its name; what waits for a handler that is still there goes on waiting. */
  #learn({ name, declaration, isLoading }: ServedModule): void {
    if (isLoading === true) return;
    const known = this.#declared.get(name) ?? new Map<string, Subscriber>();
    const wanted = Map.groupBy(declaration.events, ({ handler }) => handler);
    for (const [handler, subscriber] of known) {
      this.#remove(subscriber, wanted.has(handler));
      if (!wanted.has(handler)) known.delete(handler);
    }
    for (const [handler, events] of wanted) {
      const patterns = events.map(({ pattern }) => pattern);
      const subscriber = known.get(handler);
      if (subscriber === undefined) known.set(handler, this.#add({ module: name, handler }, patterns));
      else this.#list(subscriber, patterns);
    }
    if (known.size > 0) this.#declared.set(name, known);
    else this.#declared.delete(name);
  }

  #add(to: Addressee, patterns: readonly string[]): Subscriber {
    const load = this.#loads.get(to.module) ?? { characters: 0 };
    this.#loads.set(to.module, load);
    const lane = new Lane({
      limits: { events: this.#options.limits.maxWaiting, characters: LANE_CHARACTERS },
      load,
      maxLoad: MODULE_CHARACTERS,
      deliver: async (event, signal) => {
        const { outcome, detail } = await deliver(this.#parts, to, event, signal);
        this.#settle(to, event.name, outcome, detail);
      },
      onClosed: (dropped) => {
        for (let one = 0; one < dropped; one++) this.#options.meter.settled(to.module, 'closed');
      },
    });
    const subscriber: Subscriber = { to, lane, patterns: [] };
    this.#list(subscriber, patterns);
    return subscriber;
  }

  #list(subscriber: Subscriber, patterns: readonly string[]): void {
    subscriber.patterns = patterns;
    for (const pattern of patterns) this.#index.add(pattern, subscriber);
  }

  #remove(subscriber: Subscriber, isKept = false): void {
    for (const pattern of subscriber.patterns) this.#index.remove(pattern, subscriber);
    if (!isKept) subscriber.lane.close();
  }

  #settle(to: Addressee, event: string, outcome: DeliveryOutcome, detail: string | undefined): void {
    if (outcome === 'elsewhere') return;
    this.#options.meter.settled(to.module, outcome);
    if (outcome !== 'delivered' && outcome !== 'closed') this.#tell({ module: to.module, event, outcome, detail });
  }

  *#subscribers(): Iterable<Subscriber> {
    for (const handlers of this.#declared.values()) yield* handlers.values();
    for (const subscriptions of this.#threads.values()) yield* subscriptions.values();
  }
}
