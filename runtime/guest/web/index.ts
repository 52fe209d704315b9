/**
 * The web globals of the sealed realm, all of them guest code. A name costs one accessor until it is touched: then its
 * group is loaded and the name becomes a plain, writable property. An author who assigns to it first gets the same.
 */
import * as lazy from './lazy.ts';
import { usePlatform, type WebPlatform } from './platform.ts';

export type { LogLevel, WebPlatform } from './platform.ts';

interface Group {
  readonly names: readonly string[];
  load(): object;
}

const GROUPS: readonly Group[] = [
  { names: ['URL', 'URLSearchParams'], load: lazy.url },
  { names: ['TextEncoder', 'TextDecoder'], load: lazy.encoding },
  { names: ['Headers'], load: lazy.headers },
  { names: ['Request'], load: lazy.request },
  { names: ['Response'], load: lazy.response },
  { names: ['Blob', 'File'], load: lazy.blob },
  { names: ['FormData'], load: lazy.formData },
  { names: ['Event', 'EventTarget', 'CustomEvent'], load: lazy.events },
  { names: ['AbortController', 'AbortSignal'], load: lazy.abort },
  { names: ['DOMException'], load: lazy.domException },
  { names: ['structuredClone'], load: lazy.clone },
  { names: ['atob', 'btoa'], load: lazy.base64 },
  { names: ['crypto'], load: lazy.cryptography },
  { names: ['performance'], load: lazy.performance },
  { names: ['console'], load: lazy.console },
  {
    names: [
      'ReadableStream',
      'ReadableStreamDefaultReader',
      'ReadableStreamBYOBReader',
      'ReadableStreamDefaultController',
      'ReadableByteStreamController',
      'ReadableStreamBYOBRequest',
      'WritableStream',
      'WritableStreamDefaultWriter',
      'WritableStreamDefaultController',
      'TransformStream',
      'TransformStreamDefaultController',
      'ByteLengthQueuingStrategy',
      'CountQueuingStrategy',
      'TextEncoderStream',
      'TextDecoderStream',
    ],
    load: lazy.streams,
  },
];

const { defineProperty, getOwnPropertyDescriptor } = Object;
const { get } = Reflect;

export function installWebGlobals(target: object, platform: WebPlatform): void {
  usePlatform(platform);
  replace(target, 'self', target);
  for (const group of GROUPS) {
    for (const name of group.names) {
      defineProperty(target, name, {
        configurable: true,
        enumerable: false,
        get: () => loadGroup(target, group, name),
        set: (value: unknown) => replace(target, name, value),
      });
    }
  }
}

function loadGroup(target: object, group: Group, wanted: string): unknown {
  // Names that the author has taken meanwhile stay the author's.
  const open = group.names.filter((name) => getOwnPropertyDescriptor(target, name)?.get !== undefined);
  // A library that looks for the native class while it loads must find none, or it would load itself again.
  for (const name of open) replace(target, name, undefined);
  const loaded = group.load();
  for (const name of open) replace(target, name, get(loaded, name));
  return get(loaded, wanted);
}

function replace(target: object, name: string, value: unknown): void {
  defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
}
