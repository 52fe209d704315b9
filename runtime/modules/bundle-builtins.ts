/** Node's own modules do not exist in a guest; this says what to use instead. */
import { builtinModules } from 'node:module';

const BUILTINS = new Set(builtinModules.map((name) => name.replace(/^node:/, '')));

export function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || BUILTINS.has(specifier);
}

export function builtinMessage(specifier: string): string {
  const [name = ''] = specifier.replace(/^node:/, '').split('/');
  const instead = Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined;
  return `"${specifier}" belongs to Node, which a module cannot use. ${instead ?? 'Use what this.* of BaseModule offers, or web standards.'}`;
}

const FETCH = 'Use this.http.fetch.';
const FILES = 'Use this.files, or this.storage for values.';
const NONE = 'A module has no processes or threads; use this.tasks for work in the background.';

const INSTEAD: Readonly<Record<string, string>> = {
  fs: FILES,
  path: 'Paths of this.files are plain text with "/".',
  http: FETCH,
  https: FETCH,
  http2: FETCH,
  net: FETCH,
  tls: FETCH,
  dgram: FETCH,
  dns: FETCH,
  child_process: NONE,
  cluster: NONE,
  worker_threads: NONE,
  crypto: 'Use the global crypto (randomUUID, getRandomValues, subtle.digest).',
  process: 'Settings are in this.config.',
  os: 'Settings are in this.config.',
  sqlite: 'Use this.db.',
  timers: 'Use the global setTimeout, or this.tasks.',
  url: 'Use the globals URL and URLSearchParams.',
  util: 'Use web standards: TextEncoder, structuredClone.',
  buffer: 'Use Uint8Array and TextEncoder.',
  stream: 'Use the global ReadableStream.',
  events: 'Use this.events, or EventTarget.',
  assert: 'Throw an Error.',
  test: 'Tests belong into tests/, which module.ts does not import.',
};
