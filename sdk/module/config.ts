/** A manifest as `this.config` shows it: the keys of config.yaml, and each of them in camelCase too. */
import type { Manifest } from '../protocol/manifest.ts';

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

type WithCamel<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { readonly [Key in keyof Value]: WithCamel<Value[Key]> } & {
        readonly [Key in keyof Value as Key extends string ? Camel<Key> : Key]: WithCamel<Value[Key]>;
      }
    : Value;

/** Settings that every module has; the author's own come with `BaseModule<Settings>`. */
export interface CommonSettings {
  readonly debug: boolean;
  readonly log_level: string;
}

/**
 * `config.module_version` and `config.moduleVersion` are the same value; `config.settings` is never renamed.
 * @example
 * const key = this.config.settings.api_key;
 */
export type ModuleConfig<Settings = Record<string, unknown>> = WithCamel<
  Omit<Manifest, 'settings' | 'settings_schema'>
> & {
  readonly settings: Readonly<Settings & CommonSettings>;
};

/** Whose keys are the author's words: never renamed. */
const VERBATIM = new Set(['settings', 'settings_schema', 'database']);

export function createConfig<Settings>(manifest: Manifest): LiveConfig<Settings> {
  const config = renameKeys(manifest as unknown as Record<string, unknown>);
  let settings = freezeDeep(manifest.settings);
  Object.defineProperty(config, 'settings', { get: () => settings, enumerable: true, configurable: false });
  return {
    config: Object.freeze(config) as unknown as ModuleConfig<Settings>,
    changeSettings(next) {
      const previous = settings;
      settings = freezeDeep(next);
      return previous;
    },
  };
}

export interface LiveConfig<Settings> {
  readonly config: ModuleConfig<Settings>;
  /** From now on `config.settings` are these. @returns those before */
  changeSettings(next: unknown): unknown;
}

function renameKeys(source: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const target: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(source)) {
    const shown = VERBATIM.has(key) || !isPlain(value) ? freezeDeep(value) : Object.freeze(renameKeys(value));
    target[key] = shown;
    target[key.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase())] = shown;
  }
  return target;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function freezeDeep(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) freezeDeep(inner);
  return Object.freeze(value);
}
