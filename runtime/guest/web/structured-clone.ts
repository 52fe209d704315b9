/** structuredClone, https://html.spec.whatwg.org/#structured-cloning, for the types that this realm has. */
import { DOMException } from './dom-exception.ts';

const ERRORS: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

export function structuredClone<Value>(value: Value, options?: { transfer?: Iterable<ArrayBuffer> }): Value {
  const transfers = new Set(options?.transfer ?? []);
  for (const buffer of transfers) {
    if (!(buffer instanceof ArrayBuffer) || buffer.detached) {
      throw cannot('only an ArrayBuffer that is not detached can be transferred');
    }
  }
  // A transferred buffer is copied and then detached: all or nothing, and nobody can tell it from a move.
  const copy = cloneAny(value, new Map()) as Value;
  for (const buffer of transfers) buffer.transfer();
  return copy;
}

function cloneAny(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === 'symbol') throw cannot('a symbol cannot be cloned');
  if (typeof value === 'function') throw cannot('a function cannot be cloned');
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  if (ArrayBuffer.isView(value)) return cloneView(value, seen);
  const special = cloneLeaf(value);
  if (special !== undefined) {
    seen.set(value, special);
    return special;
  }
  if (value instanceof Map || value instanceof Set) return cloneCollection(value, seen);
  if (value instanceof Error) return cloneError(value, seen);
  if (value instanceof WeakMap || value instanceof WeakSet || value instanceof Promise) {
    throw cannot(`a ${value[Symbol.toStringTag]} cannot be cloned`);
  }
  const copy: object = Array.isArray(value) ? new Array(value.length) : {};
  seen.set(value, copy);
  for (const key of Object.keys(value)) define(copy, key, cloneAny(Reflect.get(value, key), seen));
  return copy;
}

function cloneLeaf(value: object): object | undefined {
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof ArrayBuffer) {
    if (value.detached) throw cannot('a detached ArrayBuffer cannot be cloned');
    return value.slice(0);
  }
  if (value instanceof Boolean || value instanceof Number || value instanceof String) return Object(value.valueOf());
  if (value instanceof BigInt) return Object(value.valueOf());
  return undefined;
}

function cloneView(view: ArrayBufferView, seen: Map<object, unknown>): unknown {
  const buffer = cloneAny(view.buffer, seen);
  const name = Object.prototype.toString.call(view).slice(8, -1);
  const View = Reflect.get(globalThis, name);
  const length = view instanceof DataView ? view.byteLength : Reflect.get(view, 'length');
  const copy = new View(buffer, view.byteOffset, length);
  seen.set(view, copy);
  return copy;
}

function cloneCollection(value: Map<unknown, unknown> | Set<unknown>, seen: Map<object, unknown>): unknown {
  if (value instanceof Set) {
    const copy = new Set<unknown>();
    seen.set(value, copy);
    for (const item of [...value]) copy.add(cloneAny(item, seen));
    return copy;
  }
  const copy = new Map<unknown, unknown>();
  seen.set(value, copy);
  for (const [key, item] of [...value]) copy.set(cloneAny(key, seen), cloneAny(item, seen));
  return copy;
}

function cloneError(error: Error, seen: Map<object, unknown>): Error {
  const Constructor = Object.hasOwn(ERRORS, error.name) ? (ERRORS[error.name] ?? Error) : Error;
  const copy = new Constructor(`${error.message}`);
  seen.set(error, copy);
  if (typeof error.stack === 'string') define(copy, 'stack', error.stack, false);
  if (Object.hasOwn(error, 'cause')) define(copy, 'cause', cloneAny(error.cause, seen), false);
  return copy;
}

/** Defines, never assigns: a key named __proto__ stays a key. */
function define(target: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}

function cannot(why: string): DOMException {
  return new DOMException(`structuredClone: ${why}.`, 'DataCloneError');
}
