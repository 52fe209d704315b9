/**
 * The second wall of the realm: should an object of the thread's outer realm leak into the guest, there is nothing to
 * be had from it. Evaluators are cut off, every global that is not ECMAScript goes, and what stays is frozen.
 */
const { getOwnPropertyDescriptor, defineProperty, freeze, getPrototypeOf } = Object;
const { ownKeys, deleteProperty } = Reflect;

/**
 * Named one by one: reading a global of Node's, even its descriptor, may load what is behind it (FormData alone costs
 * 38 ms).
 */
const ECMASCRIPT_GLOBALS: readonly string[] = [
  'AggregateError',
  'Array',
  'ArrayBuffer',
  'BigInt',
  'Boolean',
  'DataView',
  'Date',
  'Error',
  'EvalError',
  'Infinity',
  'Iterator',
  'JSON',
  'Map',
  'Math',
  'NaN',
  'Number',
  'Object',
  'Promise',
  'RangeError',
  'ReferenceError',
  'Reflect',
  'RegExp',
  'Set',
  'String',
  'Symbol',
  'SyntaxError',
  'TypeError',
  'URIError',
  'Uint8Array',
  'WeakMap',
  'WeakSet',
  'globalThis',
  'isFinite',
  'isNaN',
  'parseFloat',
  'parseInt',
  'undefined',
];

export function severOuterRealm(): void {
  const inert = freeze({ __proto__: null, value: undefined, writable: false, configurable: false, enumerable: false });
  const functionPrototypes = [() => {}, async () => {}, function* () {}, async function* () {}].map(
    (instance) => getPrototypeOf(instance) as object,
  );
  for (const prototype of functionPrototypes) defineProperty(prototype, 'constructor', inert as PropertyDescriptor);

  // Boundary: a class of errors that leaked must not be a way to the stacks that the guest's own realm does not have.
  defineProperty(Error, 'stackTraceLimit', inert as PropertyDescriptor);
  deleteProperty(Error, 'captureStackTrace');
  deleteProperty(Error, 'prepareStackTrace');

  const roots: unknown[] = [
    ...functionPrototypes,
    getPrototypeOf(Uint8Array.prototype),
    getPrototypeOf([][Symbol.iterator]()),
    getPrototypeOf(new Map()[Symbol.iterator]()),
  ];
  const keep = new Set<PropertyKey>(ECMASCRIPT_GLOBALS);
  for (const key of ECMASCRIPT_GLOBALS) {
    const value = getOwnPropertyDescriptor(globalThis, key)?.value;
    if (value !== globalThis) roots.push(value);
  }
  for (const key of ownKeys(globalThis)) if (!keep.has(key)) deleteProperty(globalThis, key);
  for (const object of reachableFrom(roots)) if (object !== globalThis) freezeIfPossible(object);
}

function reachableFrom(roots: unknown[]): Set<object> {
  const seen = new Set<object>();
  const stack = roots;
  while (stack.length > 0) {
    const value = stack.pop();
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value as object))
      continue;
    const object = value as object;
    seen.add(object);
    stack.push(getPrototypeOf(object));
    for (const key of ownKeys(object)) {
      const descriptor = getOwnPropertyDescriptor(object, key);
      if (descriptor === undefined) continue;
      stack.push(descriptor.value, descriptor.get, descriptor.set);
    }
  }
  return seen;
}

function freezeIfPossible(object: object): void {
  try {
    freeze(object);
  } catch {
    // A typed array with elements cannot be frozen; it holds numbers only.
  }
}
