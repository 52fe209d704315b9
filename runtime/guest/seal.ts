/**
 * First thing that runs in a guest realm: what V8 puts into a fresh realm and we do not hand out goes away, before any
 * other part of the kernel looks for it. An allow-list: a global that a new V8 brings stays out until someone decides.
 */
const ALLOWED_GLOBALS: readonly string[] = [
  'AggregateError',
  'Array',
  'ArrayBuffer',
  'AsyncDisposableStack',
  'BigInt',
  'BigInt64Array',
  'BigUint64Array',
  'Boolean',
  'DataView',
  'Date',
  'DisposableStack',
  'Error',
  'EvalError',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'Function',
  'Infinity',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'Intl',
  'Iterator',
  'JSON',
  'Map',
  'Math',
  'NaN',
  'Number',
  'Object',
  'Promise',
  'Proxy',
  'RangeError',
  'ReferenceError',
  'Reflect',
  'RegExp',
  'Set',
  'String',
  'SuppressedError',
  'Symbol',
  'SyntaxError',
  'Temporal',
  'TypeError',
  'URIError',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'WeakMap',
  'WeakSet',
  'decodeURI',
  'decodeURIComponent',
  'encodeURI',
  'encodeURIComponent',
  'escape',
  'eval',
  'globalThis',
  'isFinite',
  'isNaN',
  'parseFloat',
  'parseInt',
  'undefined',
  'unescape',
];

const allowed = new Set<PropertyKey>(ALLOWED_GLOBALS);
for (const key of Reflect.ownKeys(globalThis)) {
  // Boundary: a global that cannot be removed would stay in reach of the module, so nothing may boot with it.
  if (!allowed.has(key) && !Reflect.deleteProperty(globalThis, key)) {
    throw new Error(`The global ${String(key)} cannot be removed.`);
  }
}

/**
 * Boundary: V8 formats `error.stack` through Node's own formatter, outside of this realm, and a stack that makes it
 * throw hands out an error of that realm. With the limit locked to undefined nothing is ever captured.
 */
export function lockStackTraces(): void {
  Object.defineProperty(Error, 'stackTraceLimit', {
    value: undefined,
    writable: false,
    configurable: false,
    enumerable: false,
  });
  Reflect.deleteProperty(Error, 'captureStackTrace');
  Reflect.deleteProperty(Error, 'prepareStackTrace');
}
