/** What an operator wants of a module's settings, held against everything that has a say; all that is wrong with it at once. */
import { isDeepStrictEqual } from 'node:util';
import type { InputIssue } from '@plexichat/sdk/protocol/errors';
import { childOf } from '../config/matched-texts.ts';
import { isMap } from '../config/yaml-check.ts';
import type { Path } from '../config/yaml-issue.ts';
import type { SchemaNode } from '../config/yaml-schema.ts';
import { findSecretNode, HIDDEN, secretProblem } from './secret-settings.ts';
import type { Settings } from './settings-book.ts';
import { findExcess } from './settings-bounds.ts';
import {
  checkLayer,
  environmentPaths,
  holdsSecrets,
  layerSettings,
  type SettingsSource,
  schemaOf,
  valueAt,
} from './settings-layers.ts';

export interface SecretChange {
  readonly setting: string;
  /** null: it is removed from the vault. */
  readonly value: unknown;
}

export type SettingsChange =
  | { readonly ok: true; readonly layer: Settings; readonly secrets: readonly SecretChange[] }
  | { readonly ok: false; readonly errors: readonly InputIssue[] };

interface Leaf {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly node: SchemaNode | undefined;
}

const MAX_ERRORS = 100;
const AT = '/body/values';

/**
 * @param kept what the operators set before
 * @param patch merged into it by key; null takes a key back to what is below
 */
export function planChange(source: SettingsSource, kept: Settings, patch: Settings): SettingsChange {
  const excess = findExcess(patch);
  if (excess.length > 0) return refused(excess);
  const errors: InputIssue[] = [];
  const secrets: SecretChange[] = [];
  const before = layerSettings(source, kept);
  const layer = structuredClone(before.layer) as Record<string, unknown>;
  for (const leaf of leavesOf(patch, schemaOf(source))) {
    const { path, value, node } = leaf;
    const report = (message: string): void => void errors.push({ path: pointer(path), message });
    const isSecret = node?.writeOnly === true;
    // What the form shows of a secret: it was not touched.
    if (isSecret && value === HIDDEN) continue;
    const variable = value === null ? undefined : variableFor(source, path);
    if (variable !== undefined) {
      const isSame = !isSecret && isDeepStrictEqual(value, valueAt(before.settings, path));
      if (!isSame) report(`is set by ${variable} in the environment of the host, and cannot be changed here`);
    } else if (isSecret) {
      const problem = secretError(source, leaf);
      if (problem === undefined) secrets.push({ setting: path.join('.'), value });
      else report(problem);
    } else if (value !== null && node !== undefined && !isMap(value) && holdsSecrets(node)) {
      report('holds secrets in a list, or in place of a map: those are for config.yaml or the environment');
    } else if (!(isMap(value) && isMap(valueAt(layer, path)))) {
      put(layer, path, value);
    }
  }
  for (const { path, message } of checkLayer(source, layer)) errors.push({ path: pointer(path), message });
  errors.push(...findExcess(layer));
  return errors.length > 0 ? refused(errors) : { ok: true, layer, secrets };
}

function refused(errors: readonly InputIssue[]): SettingsChange {
  return { ok: false, errors: errors.slice(0, MAX_ERRORS) };
}

/** Boundary: a secret is one value, whatever it is made of; so that no part of it is taken for something else. */
function leavesOf(value: unknown, node: SchemaNode | undefined, path: readonly string[] = []): Leaf[] {
  const isInner = path.length === 0 || (isMap(value) && Object.keys(value).length > 0 && node?.writeOnly !== true);
  if (!isInner || !isMap(value)) return [{ path, value, node }];
  return Object.entries(value).flatMap(([key, below]) => leavesOf(below, childOf(node, key), [...path, key]));
}

function secretError(source: SettingsSource, { path, value }: Leaf): string | undefined {
  const found = findSecretNode(schemaOf(source), path.join('.'));
  if (found === undefined)
    return 'is a secret whose name the vault cannot hold: it is for config.yaml or the environment';
  return value === null ? undefined : secretProblem(found, value);
}

/** Above or below: a text in place of a map would take its keys away. */
function variableFor(source: SettingsSource, path: Path): string | undefined {
  return environmentPaths(source).find((set) => {
    const [short, long] = set.path.length < path.length ? [set.path, path] : [path, set.path];
    return short.every((step, index) => step === long[index]);
  })?.variable;
}

/** Maps that a removal leaves empty go too. Boundary: keys of the prototype were refused before. */
function put(layer: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [step = '', ...rest] = path;
  if (rest.length === 0) {
    if (value === null) delete layer[step];
    else layer[step] = value;
    return;
  }
  let below = Object.hasOwn(layer, step) ? layer[step] : undefined;
  if (!isMap(below)) {
    if (value === null) return;
    below = {};
    layer[step] = below;
  }
  put(below as Record<string, unknown>, rest, value);
  if (value === null && Object.keys(below as object).length === 0) delete layer[step];
}

function pointer(path: Path): string {
  return [AT, ...path.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/');
}
