/** Event, CustomEvent and EventTarget, https://dom.spec.whatwg.org/#events: a target without a tree. */
import { DOMException } from './dom-exception.ts';
import { reportFailure } from './platform.ts';

interface EventState {
  target: EventTarget | null;
  dispatching: boolean;
  inPassive: boolean;
  stopped: boolean;
  cancelled: boolean;
}

const states = new WeakMap<Event, EventState>();

function stateOf(event: Event): EventState {
  const state = states.get(event);
  if (state === undefined) throw new TypeError('This is not an Event.');
  return state;
}

export class Event {
  static readonly NONE = 0;
  static readonly CAPTURING_PHASE = 1;
  static readonly AT_TARGET = 2;
  static readonly BUBBLING_PHASE = 3;
  readonly type: string;
  readonly bubbles: boolean;
  readonly cancelable: boolean;
  readonly composed: boolean;
  readonly timeStamp: number;
  readonly isTrusted = false;

  constructor(type: string, options: { bubbles?: boolean; cancelable?: boolean; composed?: boolean } = {}) {
    if (type === undefined) throw new TypeError('Event: a type is needed.');
    this.type = `${type}`;
    this.bubbles = Boolean(options?.bubbles);
    this.cancelable = Boolean(options?.cancelable);
    this.composed = Boolean(options?.composed);
    this.timeStamp = Date.now();
    states.set(this, { target: null, dispatching: false, inPassive: false, stopped: false, cancelled: false });
  }

  get target(): EventTarget | null {
    return stateOf(this).target;
  }

  get srcElement(): EventTarget | null {
    return stateOf(this).target;
  }

  get currentTarget(): EventTarget | null {
    const state = stateOf(this);
    return state.dispatching ? state.target : null;
  }

  get eventPhase(): number {
    return stateOf(this).dispatching ? Event.AT_TARGET : Event.NONE;
  }

  get defaultPrevented(): boolean {
    return stateOf(this).cancelled;
  }

  get returnValue(): boolean {
    return !stateOf(this).cancelled;
  }

  composedPath(): EventTarget[] {
    const { target, dispatching } = stateOf(this);
    return dispatching && target !== null ? [target] : [];
  }

  preventDefault(): void {
    const state = stateOf(this);
    if (this.cancelable && !state.inPassive) state.cancelled = true;
  }

  stopPropagation(): void {}

  stopImmediatePropagation(): void {
    stateOf(this).stopped = true;
  }

  get [Symbol.toStringTag](): string {
    return 'Event';
  }
}

export class CustomEvent<Detail = unknown> extends Event {
  readonly detail: Detail | null;

  constructor(
    type: string,
    options: { bubbles?: boolean; cancelable?: boolean; composed?: boolean; detail?: Detail } = {},
  ) {
    super(type, options);
    this.detail = options?.detail ?? null;
  }

  override get [Symbol.toStringTag](): string {
    return 'CustomEvent';
  }
}

export type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

interface ListenerOptions {
  capture?: boolean;
  once?: boolean;
  passive?: boolean;
  signal?: { readonly aborted: boolean; addEventListener(type: 'abort', listener: () => void): void };
}

interface Registration {
  readonly callback: Listener;
  readonly capture: boolean;
  readonly once: boolean;
  readonly passive: boolean;
  removed: boolean;
}

export class EventTarget {
  readonly #listeners = new Map<string, Registration[]>();

  addEventListener(type: string, callback: Listener | null, options: boolean | ListenerOptions = {}): void {
    const chosen: ListenerOptions =
      typeof options === 'object' && options !== null ? options : { capture: Boolean(options) };
    if (callback === null || callback === undefined || chosen.signal?.aborted === true) return;
    if (typeof callback !== 'function' && typeof callback !== 'object') {
      throw new TypeError('addEventListener: the listener must be a function or have handleEvent.');
    }
    const capture = Boolean(chosen.capture);
    const list = this.#listeners.get(`${type}`) ?? [];
    if (list.some((known) => known.callback === callback && known.capture === capture)) return;
    const { once, passive } = chosen;
    list.push({ callback, capture, once: Boolean(once), passive: Boolean(passive), removed: false });
    this.#listeners.set(`${type}`, list);
    chosen.signal?.addEventListener('abort', () => this.removeEventListener(type, callback, { capture }));
  }

  removeEventListener(type: string, callback: Listener | null, options: boolean | { capture?: boolean } = {}): void {
    const capture = typeof options === 'object' && options !== null ? Boolean(options.capture) : Boolean(options);
    const list = this.#listeners.get(`${type}`);
    const index = list?.findIndex((known) => known.callback === callback && known.capture === capture) ?? -1;
    if (list === undefined || index < 0) return;
    for (const removed of list.splice(index, 1)) removed.removed = true;
    if (list.length === 0) this.#listeners.delete(`${type}`);
  }

  dispatchEvent(event: Event): boolean {
    const state = stateOf(event);
    if (state.dispatching) throw new DOMException('The event is being dispatched already.', 'InvalidStateError');
    state.target = this;
    state.dispatching = true;
    for (const registration of [...(this.#listeners.get(event.type) ?? [])]) {
      if (registration.removed) continue;
      if (registration.once) this.removeEventListener(event.type, registration.callback, registration);
      state.inPassive = registration.passive;
      callListener(this, registration.callback, event);
      state.inPassive = false;
      if (state.stopped) break;
    }
    state.dispatching = false;
    state.stopped = false;
    return !state.cancelled;
  }

  get [Symbol.toStringTag](): string {
    return 'EventTarget';
  }
}

/** One listener that throws does not silence the next. */
function callListener(target: EventTarget, callback: Listener, event: Event): void {
  try {
    if (typeof callback === 'function') Reflect.apply(callback, target, [event]);
    else callback.handleEvent(event);
  } catch (reason) {
    reportFailure(`A listener for "${event.type}"`, reason);
  }
}
